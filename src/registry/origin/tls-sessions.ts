import type { TLSSocket } from "node:tls";

/**
 * TLS sessions by origin, so that the next connection needs no new proof of the server (RFC 8446, section 2.2). One object for
 * connections whose options follow from the key alone: a session stands for the checks of the connection that began it.
 */
export class TlsSessions {
  readonly #sessions = new Map<string, Buffer>();

  get(key: string): Buffer | undefined {
    return this.#sessions.get(key);
  }

  /** Keeps the sessions of a connection once its certificate has been checked, and forgets them when it fails. */
  watch(key: string, socket: TLSSocket): void {
    let isChecked = false;
    let latest: Buffer | undefined;
    const keep = (): void => {
      if (isChecked && latest !== undefined) this.#sessions.set(key, latest);
    };
    socket.on("session", session => {
      latest = session;
      keep();
    });
    socket.once("secureConnect", () => {
      isChecked = true;
      keep();
    });
    socket.once("error", () => this.#sessions.delete(key));
  }
}
