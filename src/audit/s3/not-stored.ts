/** Object storage did not take the object. The message has no secrets. */
export class NotStored extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'NotStored'
  }
}
