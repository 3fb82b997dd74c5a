/**
 * What is made of something that can change: made once for each of its values, and anew when it is
 * another one.
 */
export function inForce<Value extends object | undefined, Made>(
  value: () => Value,
  make: (value: Value) => Made,
): () => Made {
  let last: { readonly value: Value; readonly made: Made } | undefined
  return () => {
    const now = value()
    if (last === undefined || last.value !== now) last = { value: now, made: make(now) }
    return last.made
  }
}
