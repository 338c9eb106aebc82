import { describe, expect, test } from "vitest";
import { ArchiveError } from "../../../src/errors.ts";
import { type ImageConfig, parseImageConfig } from "../../../src/oci/image-config.ts";

const D1 = `sha256:${"1".repeat(64)}`;
const D2 = `sha256:${"2".repeat(64)}`;

function parse(document: unknown): ImageConfig {
  const text = typeof document === "string" ? document : JSON.stringify(document);
  return parseImageConfig(Buffer.from(text), "a test");
}

function fault(document: unknown): ArchiveError {
  try {
    parse(document);
  } catch (error) {
    if (error instanceof ArchiveError) return error;
    throw error;
  }
  throw new Error("accepted");
}

describe("parseImageConfig()", () => {
  test("reads what Docker writes", () => {
    const config = parse({
      architecture: "arm",
      variant: "v7",
      os: "linux",
      created: "2024-01-02T03:04:05.678Z",
      author: "",
      docker_version: "28.5.2",
      config: {
        Hostname: "",
        User: "app",
        WorkingDir: "/srv",
        Env: ["PATH=/bin"],
        Cmd: ["serve"],
        Entrypoint: null,
        ExposedPorts: { "80/tcp": {}, "443/tcp": {} },
        Volumes: { "/data": {} },
        Labels: { A: "1", a: "2" },
        OnBuild: null,
      },
      history: [
        { created: "2024-01-02T03:04:05Z", created_by: "ADD file", comment: "buildkit" },
        { created_by: "CMD", empty_layer: true },
      ],
      rootfs: { type: "layers", diff_ids: [D1, D2, D1] },
    });
    expect(config).toEqual({
      os: "linux",
      architecture: "arm",
      variant: "v7",
      created: "2024-01-02T03:04:05.678Z",
      diffIds: [D1, D2, D1],
      history: [
        { created: "2024-01-02T03:04:05Z", createdBy: "ADD file", comment: "buildkit", emptyLayer: false },
        { createdBy: "CMD", emptyLayer: true },
      ],
      runtime: {
        user: "app",
        workingDir: "/srv",
        env: ["PATH=/bin"],
        cmd: ["serve"],
        entrypoint: [],
        exposedPorts: ["80/tcp", "443/tcp"],
        volumes: ["/data"],
        labels: Object.assign(Object.create(null), { A: "1", a: "2" }),
      },
    });
  });

  test("reads a config without layers, run settings or history", () => {
    const config = parse({ rootfs: { type: "layers", diff_ids: null }, history: null, config: null });
    expect(config).toMatchObject({ os: "", architecture: "", diffIds: [], history: [], runtime: { env: [], cmd: [] } });
  });

  test("reads a command that is one string as a list of one", () => {
    expect(parse({ rootfs: {}, config: { Cmd: "run me", Entrypoint: "go" } }).runtime).toMatchObject({
      cmd: ["run me"],
      entrypoint: ["go"],
    });
  });

  test("keeps Windows fields", () => {
    const config = parse({ os: "windows", "os.version": "10.0.1", "os.features": ["win32k"], rootfs: {} });
    expect(config).toMatchObject({ osVersion: "10.0.1", osFeatures: ["win32k"] });
  });

  test("leaves floating numbers in unknown fields alone", () => {
    expect(parse('{"rootfs":{},"x":{"ratio":1.5e3}}').diffIds).toEqual([]);
  });

  test.each([
    ["M-17 an empty diff_id", { rootfs: { diff_ids: [D1, ""] } }, "bad-digest"],
    ["M-17 a diff_id of another algorithm", { rootfs: { diff_ids: [`md5:${"0".repeat(32)}`] } }, "bad-digest"],
    ["M-17 diff_ids that are no list", { rootfs: { diff_ids: D1 } }, "json-type"],
    ["no rootfs", { os: "linux" }, "json-missing"],
    ["M-10 a folded key", { rootfs: {}, Rootfs: {} }, "json-folded-key"],
    ["M-10 a folded key of run settings", { rootfs: {}, config: { cmd: [] } }, "json-folded-key"],
    ["a list for run settings", { rootfs: {}, config: [] }, "json-type"],
    ["a label that is no string", { rootfs: {}, config: { Labels: { a: 1 } } }, "json-type"],
    ["Env that is no list of strings", { rootfs: {}, config: { Env: [1] } }, "json-type"],
    ["an architecture that is no string", { rootfs: {}, architecture: 1 }, "json-type"],
  ])("refuses %s", (_, document, reason) => {
    expect(fault(document).reason).toBe(reason);
  });

  test("M-09 refuses more than 8 MiB, and takes 8 MiB", () => {
    const text = '{"rootfs":{}}';
    const limit = 8 * 1024 * 1024;
    expect(parse(text.padEnd(limit)).diffIds).toEqual([]);
    expect(fault(text.padEnd(limit + 1)).reason).toBe("json-too-large");
  });
});
