import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Thousands of broken runs: too long for the gate before a commit. */
const CRASH = "test/crash/**/*.test.ts";
/** Tests that replace modules or globals; each runs in a process of its own. The fault tests have one mostly. */
const MOCKING = ["test/fault/**/*.test.ts", "test/**/*.mocking.test.ts"];
/** It starts the built command. */
const PROCESS = "test/fault/process.test.ts";

// Reading a bundle of authorities takes every Node process that a test starts a tenth of a second.
delete process.env["NODE_EXTRA_CA_CERTS"];

const config: ViteUserConfig = defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/{unit,property,hostile}/**/*.test.ts", "test/*.test.ts"],
          exclude: MOCKING,
          testTimeout: 60_000,
          isolate: false,
        },
      },
      {
        test: {
          name: "mocking",
          include: MOCKING,
          exclude: [PROCESS, "test/{crash,integration,torture}/**"],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "crash",
          include: [CRASH],
          testTimeout: 60_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts", PROCESS],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          globalSetup: ["test/integration/peers/global-setup.ts"],
        },
      },
      {
        test: {
          name: "torture",
          include: ["test/torture/**/*.test.ts"],
          // A sweep or a thousand random kills is one test; each run has a guard of its own.
          testTimeout: 12 * 3_600_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
export default config;
