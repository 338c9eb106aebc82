import { defineConfig, type ViteUserConfig } from "vitest/config";

/** Tests that replace modules or globals; each runs in a process of its own. test/architecture.test.ts keeps the list. */
export const MOCKING: readonly string[] = [
  "test/fault/**/*.test.ts",
  "test/unit/compress/gzip-profile.test.ts",
  "test/unit/registry/blob-upload.test.ts",
  "test/unit/registry/transport.test.ts",
  "test/unit/util/partial-file.test.ts",
];
/** It starts the built command. */
const PROCESS = "test/fault/process.test.ts";

const config: ViteUserConfig = defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/{unit,property,hostile}/**/*.test.ts", "test/*.test.ts"],
          exclude: [...MOCKING],
          testTimeout: 20_000,
          isolate: false,
        },
      },
      {
        test: {
          name: "mocking",
          include: [...MOCKING],
          exclude: [PROCESS],
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "integration",
          include: ["test/integration/**/*.test.ts", PROCESS],
          testTimeout: 180_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
export default config;
