/** Whether a text can be the id of an approval, which is a UUID (RFC 9562 §4). */
export function isTaskId(text: string): boolean {
  return /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text)
}
