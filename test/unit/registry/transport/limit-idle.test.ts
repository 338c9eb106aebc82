import { EventEmitter } from "node:events";
import { describe, expect, test, vi } from "vitest";
import { limitIdle } from "../../../../src/registry/transport/limit-idle.ts";

/** A request whose deadline the test lets pass. */
class Request extends EventEmitter {
  socket: { bytesRead: number; bytesWritten: number; writableLength: number } | null = {
    bytesRead: 0,
    bytesWritten: 100,
    writableLength: 50,
  };
  readonly setTimeout = vi.fn();
  isOwnTurn = false;
  readonly onLate = vi.fn();

  constructor() {
    super();
    limitIdle(this, 1000, () => this.isOwnTurn, this.onLate);
  }

  /** @param then what happens in the turn after the deadline. */
  async pass(then: () => void = () => undefined): Promise<void> {
    this.emit("timeout");
    then();
    await new Promise(resolve => setImmediate(resolve));
  }
}

describe("limitIdle()", () => {
  test("ends a request when nothing moves, also without a connection", async () => {
    const request = new Request();
    expect(request.setTimeout).toHaveBeenCalledWith(1000);
    request.socket = null;
    await request.pass();
    expect(request.onLate).toHaveBeenCalledWith(expect.objectContaining({ code: "ETIMEDOUT" }));
  });

  test("does not end it when the system takes what is sent, again and again", async () => {
    const request = new Request();
    for (let left = 40; left > 0; left -= 10) {
      await request.pass(() => Object.assign(request.socket ?? {}, { writableLength: left }));
      expect(request.onLate).not.toHaveBeenCalled();
    }
    await request.pass();
    expect(request.onLate).toHaveBeenCalledTimes(1);
  });

  test("does not end it while this side has nothing to send, and does when its turn is over", async () => {
    const request = new Request();
    request.isOwnTurn = true;
    await request.pass();
    expect(request.onLate).not.toHaveBeenCalled();
    request.isOwnTurn = false;
    await request.pass();
    expect(request.onLate).toHaveBeenCalledTimes(1);
  });
});
