/** Bytes are not those that they must be. The damage is reported by then. */
export class DamagedError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "DamagedError";
  }
}
