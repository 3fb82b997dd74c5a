/** What stands in a field, without blanks around it. */
export function textField(form: FormData, name: string): string {
  const value = form.get(name)
  return typeof value === 'string' ? value.trim() : ''
}

/** Words with commas between them. */
export function listField(form: FormData, name: string): string[] {
  return textField(form, name)
    .split(',')
    .map((one) => one.trim())
    .filter(Boolean)
}
