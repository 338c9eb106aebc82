import { createServer, type Server, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { onTestFinished } from "vitest";
import { TEST_TLS } from "../../../support/test-tls.ts";

export interface RawServer {
  readonly url: URL;
  /** Connections so far. */
  readonly sockets: readonly Socket[];
}

/** A server below HTTP: `serve` gets every connection. Runs until the end of the test. */
export async function rawServer(
  serve: (socket: Socket, connection: number) => void,
  protocol: "http" | "https" = "http",
): Promise<RawServer> {
  const sockets: Socket[] = [];
  const listener = (socket: Socket): void => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    serve(socket, sockets.length);
  };
  const server: Server = protocol === "https" ? createTlsServer(TEST_TLS, listener) : createServer(listener);
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise(resolve => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { url: new URL(`${protocol}://127.0.0.1:${port}/`), sockets };
}

/** Answers every request head with the same bytes. */
export function answering(bytes: Uint8Array | string): (socket: Socket) => void {
  return socket => {
    socket.on("data", data => {
      for (const _request of data.toString().matchAll(/\r\n\r\n/g)) socket.write(bytes);
    });
  };
}
