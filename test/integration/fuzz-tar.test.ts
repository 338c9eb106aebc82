import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { describeWith } from "./peers/describe-with.ts";
import { run } from "./peers/run.ts";

const SCRIPT = fileURLToPath(new URL("../../scripts/fuzz-tar.mjs", import.meta.url));

interface Figures {
  readonly mutants: number;
  readonly accepted: number;
  readonly failures: number;
  readonly refused: Readonly<Record<string, number>>;
}

describeWith(["tar", "python3"], "the tar reader beside GNU tar, tarfile and tar-stream", () => {
  const title = "T-02 of 3,000 archives, damaged by rule, none is accepted that another reader reads differently";
  // It takes 30 seconds alone, and four times as long next to busy neighbours.
  test(title, { timeout: 420_000 }, async () => {
    const { stdout, stderr } = await run("node", [SCRIPT, "--count", "3000", "--seed", "2026", "--json"], {
      timeoutMs: 400_000,
    });
    expect(stderr).toBe("");
    const { mutants, accepted, failures, refused }: Figures = JSON.parse(stdout);
    expect({ mutants, failures }).toEqual({ mutants: 3000, failures: 0 });
    // A reader that refuses everything, or nothing, would pass as well.
    expect(accepted).toBeGreaterThan(1200);
    expect(Object.keys(refused).length).toBeGreaterThan(30);
    expect(Object.values(refused).reduce((sum, count) => sum + count, accepted)).toBe(3000);
  });
});
