/** The client closed the connection: nobody waits for an answer, and nothing is wrong with the server. */
export class ClientGoneError extends Error {
  constructor(options?: ErrorOptions) {
    super("the client closed the connection", options);
  }
}
