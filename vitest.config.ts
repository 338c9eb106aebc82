import { fileURLToPath } from "node:url";
import { defineConfig, type ViteUserConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Every cut, flip, fault or combination, or a large load: too long for the gate before a commit. */
const SWEEPS = "test/**/*.sweep.test.ts";
/** Tests that replace modules or globals: each file runs in a process of its own. */
const MOCKING = "test/**/*.mocking.test.ts";
/** Tests of one process each: started programs, broken runs, killed processes. */
const PROCESSES = "test/{crash,executable,integration,newcomer,torture}/**";

/** Retries do not cost time: the tests see how long each one would have waited. */
const INSTANT_WAITS = {
  "node:timers/promises": fileURLToPath(new URL("test/support/instant-waits.ts", import.meta.url)),
};
const EQUAL_BYTES = "test/support/equal-bytes.ts";
const NO_DEADLINES = [EQUAL_BYTES, "test/support/no-deadlines.ts"];

/** What `npm run executable` builds for this machine. */
const EXECUTABLE = fileURLToPath(new URL(`executables/imgpack-linux-${process.arch}`, import.meta.url));
/** Where runtimes differ: signals, stdin, TLS, helpers, threads, files. The other files pass too, and take minutes. */
const OF_THE_PROCESS = [
  "blocked-inputs",
  "completion-install",
  "containers",
  "credentials",
  "process",
  "pull",
  "serve",
  "serve-docs",
  "tls",
] as const;

/** Files of minutes start first: at the end, they would run alone. */
const LONGEST = ["torture/", "integration/matrix", "integration/docs/", "crash/", "fault/quirks", "property/damage"];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const found = LONGEST.findIndex(name => moduleId.includes(`/test/${name}`));
      return found < 0 ? LONGEST.length : found;
    };
    return (await super.sort(files)).toSorted((left, right) => rank(left) - rank(right));
  }
}

// Reading a bundle of authorities takes every Node process that a test starts a tenth of a second.
delete process.env["NODE_EXTRA_CA_CERTS"];

const config: ViteUserConfig = defineConfig({
  test: {
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        test: {
          name: "fast",
          include: ["test/**/*.test.ts"],
          exclude: [MOCKING, SWEEPS, PROCESSES],
          alias: INSTANT_WAITS,
          setupFiles: NO_DEADLINES,
          testTimeout: 60_000,
          isolate: false,
        },
      },
      {
        test: {
          name: "mocking",
          include: [MOCKING],
          exclude: [PROCESSES],
          setupFiles: NO_DEADLINES,
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "sweeps",
          include: [SWEEPS],
          alias: INSTANT_WAITS,
          setupFiles: NO_DEADLINES,
          testTimeout: 600_000,
          isolate: false,
        },
      },
      {
        test: {
          name: "crash",
          setupFiles: EQUAL_BYTES,
          include: ["test/crash/**/*.test.ts"],
          testTimeout: 60_000,
          isolate: false,
        },
      },
      {
        test: {
          name: "integration",
          setupFiles: EQUAL_BYTES,
          include: ["test/integration/**/*.test.ts", "test/newcomer/with-node.test.ts"],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          globalSetup: ["test/integration/peers/global-setup.ts"],
          isolate: false,
        },
      },
      {
        test: {
          name: "executable",
          setupFiles: EQUAL_BYTES,
          include: [
            "test/executable/**/*.test.ts",
            "test/newcomer/with-executable.test.ts",
            ...OF_THE_PROCESS.map(name => `test/integration/${name}.test.ts`),
          ],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          globalSetup: ["test/integration/peers/global-setup.ts"],
          env: { IMGPACK_BIN: process.env["IMGPACK_BIN"] ?? EXECUTABLE },
          isolate: false,
        },
      },
      {
        test: {
          name: "torture",
          setupFiles: EQUAL_BYTES,
          include: ["test/torture/**/*.test.ts"],
          // A sweep or a thousand random kills is one test; each run has a guard of its own.
          testTimeout: 12 * 3_600_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
export default config;
