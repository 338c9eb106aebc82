import { Socket } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseHtpasswd } from "../../../../src/serve/access/htpasswd.ts";
import { type Bcrypt, PasswordCheck } from "../../../../src/serve/access/password-check.ts";
import { deferred } from "../../../../src/util/promises.ts";

// By Apache's htpasswd -B, for the password "pw".
const ANNA = "$2y$05$qHP8df.3JFKMFDK2cDpf6uQk/w2Jon0h.60U2t1K36c2.kZrOsuza";
const accounts = parseHtpasswd(`anna:${ANNA}\nbob:${ANNA}`);

function costMark(cost: number): string {
  return `$${String(cost).padStart(2, "0")}$`;
}

/** A computation ends when the test says so. */
function handBcrypt(): Bcrypt & {
  readonly asked: [password: string, hash: string][];
  answer(isRight: boolean): Promise<void>;
} {
  const asked: [string, string][] = [];
  let running = deferred<boolean>();
  return {
    asked,
    async isRight(password, hash) {
      asked.push([password, hash]);
      return await running.promise;
    },
    async answer(isRight) {
      const ended = running;
      running = deferred();
      ended.resolve(isRight);
      await new Promise(setImmediate);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function clientFrom(address: string): Socket {
  const socket = new Socket();
  Object.defineProperty(socket, "remoteAddress", { value: address });
  onTestFinished(() => void socket.destroy());
  return socket;
}

describe("PasswordCheck", () => {
  test("accepts what htpasswd -B wrote, and nothing else", async () => {
    await using check = new PasswordCheck(accounts);
    const client = clientFrom("10.0.0.1");
    expect(await check.check("anna", "pw", client)).toBe(true);
    for (const [user, password] of [
      ["anna", "PW"],
      ["anna", ""],
      ["carl", "pw"],
      ["", "pw"],
    ] as const) {
      expect(await check.check(user, password, client), `${user}:${password}`).toBe(false);
    }
  });

  test("computes a right password once, and a wrong one each time", async () => {
    const bcrypt = handBcrypt();
    const check = new PasswordCheck(accounts, bcrypt);
    const client = clientFrom("10.0.0.1");
    const first = [check.check("anna", "pw", client), check.check("anna", "pw", clientFrom("10.0.0.1"))];
    await bcrypt.answer(true);
    expect(await Promise.all(first)).toEqual([true, true]);
    expect(await check.check("anna", "pw", client)).toBe(true);
    expect(bcrypt.asked).toHaveLength(1);
    for (let count = 0; count < 2; count += 1) {
      const wrong = check.check("anna", "no", client);
      await bcrypt.answer(false);
      expect(await wrong).toBe(false);
    }
    expect(bcrypt.asked).toHaveLength(3);
  });

  test("users are not told apart by time: a wrong password takes the rounds of the slowest user, for each name", async () => {
    const mixed = parseHtpasswd(
      [5, 10, 7].map(cost => `user${cost}:${ANNA.replace("$05$", costMark(cost))}`).join("\n"),
    );
    for (const user of ["user5", "user7", "user10", "nobody", ""]) {
      let rounds = 0;
      const check = new PasswordCheck(mixed, {
        async isRight(_, hash) {
          rounds += 2 ** Number(hash.slice(4, 6));
          return hash.slice(7).startsWith("O");
        },
        [Symbol.asyncDispose]: async () => undefined,
      });
      expect(await check.check(user, "no", clientFrom("10.0.0.1"))).toBe(false);
      expect([user, rounds]).toEqual([user, 2 ** 10]);
    }
  });

  test("a flood of wrong passwords from one address delays another by two computations, and is refused beyond 16", async () => {
    const bcrypt = handBcrypt();
    const check = new PasswordCheck(accounts, bcrypt);
    const flood = Array.from(
      { length: 30 },
      async (_, index) => await check.check("anna", `${index}`, clientFrom("10.6.6.6")),
    );
    const good = check.check("bob", "pw", clientFrom("10.0.0.1"));
    for (const isRight of [false, false, true]) await bcrypt.answer(isRight);
    expect(await good).toBe(true);
    expect(bcrypt.asked.slice(0, 3).map(([password]) => password)).toEqual(["0", "1", "pw"]);
    for (let count = 0; count < 30; count += 1) await bcrypt.answer(false);
    const outcomes = await Promise.all(flood);
    expect(outcomes.filter(outcome => outcome === "busy")).toHaveLength(13);
    expect(outcomes.filter(outcome => outcome === false)).toHaveLength(17);
  });

  test("does not compute for clients that are gone", async () => {
    const bcrypt = handBcrypt();
    const check = new PasswordCheck(accounts, bcrypt);
    const first = check.check("anna", "0", clientFrom("10.0.0.1"));
    const gone = clientFrom("10.0.0.1");
    const second = check.check("anna", "1", gone);
    gone.destroy();
    await bcrypt.answer(false);
    expect(await Promise.all([first, second])).toEqual([false, false]);
    expect(bcrypt.asked).toHaveLength(1);
  });
});
