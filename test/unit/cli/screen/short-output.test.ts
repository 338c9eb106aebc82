import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { main } from "../../../../src/cli/main.ts";
import { textWidth } from "../../../../src/cli/screen/text-width.ts";
import { FakeTerminal } from "../../../support/fake-terminal.ts";

const HELLO = fileURLToPath(new URL("../../../../fixtures/hello.tar.gz", import.meta.url));

test.each(["inspect", "doctor"])(
  "%s fits a terminal, where digests and dates are short, and is whole elsewhere",
  async command => {
    for (const columns of [60, 80, 200]) {
      const stdout = new FakeTerminal(columns, 200) as unknown as NodeJS.WriteStream;
      expect(await main([command, HELLO, "--progress", "none"], { stdout, stderr: new PassThrough() })).toBe(0);
      const { shown } = stdout as unknown as FakeTerminal;
      for (const row of shown) expect(textWidth(row), row).toBeLessThanOrEqual(columns);
      expect(shown.join("\n")).not.toMatch(/[0-9a-f]{64}|\d{4}-\d\d-\d\dT/);
    }
    const pipe = new PassThrough();
    await main([command, HELLO, "--progress", "none"], { stdout: pipe, stderr: new PassThrough() });
    pipe.end();
    const whole = await text(pipe);
    if (command === "inspect") expect(whole).toMatch(/^Config +sha256:[0-9a-f]{64} {2}created \d{4}-\d\d-\d\dT/m);
  },
);
