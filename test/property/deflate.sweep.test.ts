import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const SCRIPT = fileURLToPath(new URL("../../scripts/fuzz-deflate.mjs", import.meta.url));

interface Figures {
  readonly inputs: number;
  readonly failures: number;
  readonly bytes: number;
  readonly deflated: number;
}

test("of 1,000 inputs made by rule, the encoder writes none with a wrong match, and none that inflates to other bytes", () => {
  const output = execFileSync("node", [SCRIPT, "--count", "1000", "--seed", "7", "--json"], { encoding: "utf8" });
  const { inputs, failures, bytes, deflated }: Figures = JSON.parse(output);
  expect({ inputs, failures }).toEqual({ inputs: 1000, failures: 0 });
  // Inputs that are all stored, or all zeros, would show nothing. Both levels are counted.
  expect(deflated / 2 / bytes).toBeGreaterThan(0.1);
  expect(deflated / 2 / bytes).toBeLessThan(0.6);
});
