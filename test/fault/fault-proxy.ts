import type { AddressInfo } from "node:net";
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";

/** What happens to one connection, counted in bytes from its beginning. */
export interface WireFault {
  /** "up": to the registry. */
  readonly way: "up" | "down";
  readonly at: number;
  /** "garbage" puts bytes in between; "stall" lets nothing more through, and keeps the connection open. */
  readonly kind: "reset" | "end" | "stall" | "garbage" | "repeat";
}

/** Stands between a client and a registry and breaks connections. */
export class FaultProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port = 0;

  private constructor(target: string, next: () => WireFault | undefined) {
    const [host = "", port = ""] = target.split(":");
    this.#server = createServer(client => {
      const registry = connectTcp({ host, port: Number(port) });
      const fault = next();
      for (const socket of [client, registry]) {
        this.#sockets.add(socket);
        socket.on("error", () => undefined);
        socket.on("close", () => this.#sockets.delete(socket));
      }
      relay(client, registry, fault?.way === "up" ? fault : undefined);
      relay(registry, client, fault?.way === "down" ? fault : undefined);
    });
  }

  static async start(target: string, next: () => WireFault | undefined): Promise<FaultProxy> {
    const proxy = new FaultProxy(target, next);
    await new Promise<void>(resolve => proxy.#server.listen(0, "127.0.0.1", resolve));
    proxy.#port = (proxy.#server.address() as AddressInfo).port;
    return proxy;
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise(resolve => this.#server.close(resolve));
  }
}

function relay(from: Socket, to: Socket, fault: WireFault | undefined): void {
  let seen = 0;
  let isDone = fault === undefined;
  from.on("data", (part: Buffer) => {
    const before = seen;
    seen += part.length;
    if (isDone || fault === undefined || seen < fault.at) {
      pass(from, to, part);
      return;
    }
    isDone = true;
    const cut = Math.max(0, fault.at - before);
    pass(from, to, part.subarray(0, cut));
    breakWire(from, to, fault, part, cut);
  });
  from.on("end", () => to.end());
  from.on("close", () => to.destroy());
}

function breakWire(from: Socket, to: Socket, { kind }: WireFault, part: Buffer, cut: number): void {
  if (kind === "stall") {
    from.pause();
    return;
  }
  if (kind === "garbage" || kind === "repeat") {
    pass(from, to, kind === "garbage" ? Buffer.from("\u0000garbage\r\n") : part.subarray(0, 40));
    pass(from, to, part.subarray(cut));
    return;
  }
  for (const socket of [from, to]) {
    if (kind === "reset") socket.resetAndDestroy();
    else socket.end();
  }
}

function pass(from: Socket, to: Socket, part: Buffer): void {
  if (part.length === 0 || to.destroyed || to.writableEnded || to.write(part)) return;
  from.pause();
  to.once("drain", () => from.resume());
}
