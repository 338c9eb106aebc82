import { connect, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** Small enough that a client has read a part before the next one comes: what is on its way when it dies counts as sent. */
const PART_BYTES = 64 * 1024;

export interface Throttle {
  /** `127.0.0.1:port` */
  readonly host: string;
  /** Bytes that went to clients, headers included. */
  bytesDown: number;
  close(): Promise<void>;
}

/** A slow line to a server of this machine: all connections together share the rate. */
export async function startThrottle(target: string, bytesPerSecond: number): Promise<Throttle> {
  const sockets = new Set<Socket>();
  let freeAt = 0;
  const pace = async (bytes: number): Promise<void> => {
    freeAt = Math.max(freeAt, performance.now()) + (bytes / bytesPerSecond) * 1000;
    const wait = freeAt - performance.now();
    // Timers are no finer than that.
    if (wait > 2) await sleep(wait);
  };
  const carry = async (from: Socket, to: Socket, count: (bytes: number) => void): Promise<void> => {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; at += PART_BYTES) {
        const part = chunk.subarray(at, at + PART_BYTES);
        await pace(part.length);
        if (to.destroyed) return;
        count(part.length);
        to.write(part);
      }
    }
    to.end();
  };
  const [, port = ""] = target.split(":");
  const throttle: { -readonly [K in keyof Throttle]: Throttle[K] } = {
    host: "",
    bytesDown: 0,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
  const server = createServer(client => {
    const upstream = connect(Number(port), "127.0.0.1");
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", cut);
      socket.on("close", () => {
        sockets.delete(socket);
        cut();
      });
    }
    const down = (bytes: number): void => {
      throttle.bytesDown += bytes;
    };
    carry(client, upstream, () => undefined).catch(cut);
    carry(upstream, client, down).catch(cut);
  });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  throttle.host = `127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  return throttle;
}
