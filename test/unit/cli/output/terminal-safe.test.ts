import { Writable } from "node:stream";
import { expect, test } from "vitest";
import { jsonText } from "../../../../src/cli/output/json-text.ts";
import { writeDocument } from "../../../../src/cli/output/write-document.ts";
import { UsageError } from "../../../../src/errors.ts";

const HOSTILE = ["\u001b[2J", "\u007f", "\u009b2J", "\u202e", "\u2066", "\u2028", "\u200b", "\u{e0001}"];

test.each(HOSTILE)("A-20 JSON with %j is plain text that means the same", text => {
  const written = jsonText({ text });
  expect(written).toMatch(/^[\x20-\x7e]+$/);
  expect(JSON.parse(written)).toEqual({ text });
});

function output(isTTY: boolean): { readonly stdout: Writable; readonly stderr: Writable; written(): string } {
  const parts: Buffer[] = [];
  const stdout = Object.assign(
    new Writable({
      write(part: Buffer, _encoding, onDone) {
        parts.push(part);
        onDone();
      },
    }),
    { isTTY },
  );
  return { stdout, stderr: stdout, written: () => Buffer.concat(parts).toString("latin1") };
}

test.each([...HOSTILE.map(text => Buffer.from(text)), Buffer.from([0xff, 0x9b])])(
  "A-20 a document with %j is refused on a terminal, and written byte for byte elsewhere",
  text => {
    const terminal = output(true);
    expect(() => writeDocument(terminal, text, "config")).toThrow(UsageError);
    expect(terminal.written()).toBe("");
    const pipe = output(false);
    writeDocument(pipe, text, "config");
    expect(pipe.written()).toBe(text.toString("latin1"));
  },
);

test("A-20 a document of plain text is written to a terminal", () => {
  const terminal = output(true);
  writeDocument(terminal, Buffer.from('{\n\t"a": "é"\r\n}'), "manifest");
  expect(terminal.written()).not.toBe("");
});
