import { describe, expect, test } from "vitest";
import { buildImageConfig } from "../../../src/oci/build-config.ts";
import { parseImageConfig } from "../../../src/oci/image-config.ts";

const diffId = `sha256:${"a".repeat(64)}` as const;
const plain = {
  created: "1970-01-01T00:00:00Z",
  platform: { os: "linux", architecture: "amd64" },
  runtime: {},
  diffId,
  createdBy: "imgpack import",
};

describe("buildImageConfig()", () => {
  test("writes what the specification requires, and nothing that was not given", () => {
    expect(JSON.parse(Buffer.from(buildImageConfig(plain)).toString())).toEqual({
      created: "1970-01-01T00:00:00Z",
      architecture: "amd64",
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: [diffId] },
      history: [{ created: "1970-01-01T00:00:00Z", created_by: "imgpack import" }],
    });
  });

  test("writes what the reader of configs reads", () => {
    const bytes = buildImageConfig({
      ...plain,
      author: "Ada",
      comment: "base",
      platform: { os: "linux", architecture: "arm", variant: "v7" },
      runtime: {
        user: "1000:1000",
        exposedPorts: ["80/tcp"],
        env: ["B=2", "A=1"],
        entrypoint: ["/bin/app"],
        cmd: ["-v"],
        volumes: ["/data"],
        workingDir: "/srv",
        labels: { b: "2", a: "1" },
      },
    });
    expect(parseImageConfig(bytes, "test")).toMatchObject({
      author: "Ada",
      architecture: "arm",
      variant: "v7",
      diffIds: [diffId],
      history: [{ createdBy: "imgpack import", comment: "base", emptyLayer: false }],
      runtime: {
        user: "1000:1000",
        workingDir: "/srv",
        env: ["B=2", "A=1"],
        entrypoint: ["/bin/app"],
        cmd: ["-v"],
        exposedPorts: ["80/tcp"],
        volumes: ["/data"],
        labels: { a: "1", b: "2" },
      },
    });
  });

  test("gives the same bytes whatever the order of labels, ports and volumes", () => {
    const one = { labels: { a: "1", b: "2" }, exposedPorts: ["80/tcp", "53/udp"], volumes: ["/a", "/b"] };
    const other = { labels: { b: "2", a: "1" }, exposedPorts: ["53/udp", "80/tcp"], volumes: ["/b", "/a"] };
    expect(buildImageConfig({ ...plain, runtime: one })).toEqual(buildImageConfig({ ...plain, runtime: other }));
  });
});
