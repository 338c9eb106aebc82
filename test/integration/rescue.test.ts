import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { CopyResult } from "../../src/index.ts";
import { rawLayer } from "../support/shape-archives-parts.ts";
import { fillImage, idOf } from "../support/v1/fill-v1.ts";
import { V1Registry } from "../support/v1/v1-registry.ts";
import { describeWith } from "./peers/describe-with.ts";
import { type DockerRegistry, startDockerRegistry } from "./peers/docker-registry.ts";
import { createImgpack, type Imgpack } from "./peers/imgpack.ts";
import { copyWithSkopeo } from "./peers/skopeo.ts";

describeWith(["docker-registry", "skopeo"], "imgpack copies out of a v1 registry", () => {
  let target: DockerRegistry;
  let imgpack: Imgpack;
  let old: Awaited<ReturnType<typeof V1Registry.open>>;
  beforeAll(async () => {
    [target, imgpack, old] = await Promise.all([
      startDockerRegistry(),
      createImgpack(),
      V1Registry.open({ manner: "0.8", hasIndex: true, isReadOnly: true, redirects: "layers" }),
    ]);
    const { content } = old.registry;
    fillImage(content, "library/app", "1", "cba");
    fillImage(content, "team/Db", "2", "cb");
    content.addImage({ id: idOf("f"), parent: idOf("b"), layer: gzipSync(rawLayer("compressed\n").bytes) });
    content.addTag("team/Db", "3", idOf("f"));
  });
  afterAll(async () => {
    await Promise.all([target?.close(), imgpack?.close(), old?.close()]);
  });

  test("into docker-registry, which skopeo reads; again with nothing to download; and with a report", async () => {
    const report = join(imgpack.folder, "report.html");
    const words = [`v1://${old.registry.host}/**`, "--to", `${target.host}/old`, "--verify", "--report", report];
    const first = await imgpack.run(["copy", "--json", ...words]);
    expect(first, first.stderr).toMatchObject({ code: 0 });
    const { images, rescue } = JSON.parse(first.stdout) as CopyResult;
    expect(images.map(({ reference }) => reference)).toEqual(
      ["app:1", "team/db:2", "team/db:3"].map(name => `${target.host}/old/${name}`),
    );
    expect(rescue).toMatchObject({ complete: true, verified: true, copied: 3, failed: 0, layers: 4 });
    expect(await readFile(report, "utf8")).toContain(">Copied: 3</h2>");
    for (const name of ["app:1", "team/db:3"]) {
      const folder = join(imgpack.folder, name.replace(/[/:]/g, "-"));
      const read = await copyWithSkopeo(`docker://${target.host}/old/${name}`, `dir:${folder}`);
      expect(read, read.stderr).toMatchObject({ code: 0 });
    }
    const before = old.registry.seen(/\/layer$/).length;
    const again = await imgpack.run(["copy", "--json", ...words]);
    expect(JSON.parse(again.stdout)).toMatchObject({ images: images.map(({ digest }) => ({ digest })), bytesSent: 0 });
    expect(old.registry.seen(/\/layer$/)).toHaveLength(before);
  });
});
