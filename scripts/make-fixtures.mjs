// @ts-check
// Makes the archives in fixtures/ with the tools of this machine. Files whose tool is absent stay as they are.
//   IMGPACK_DOCKER_HOSTS  name=unix:///path.sock,… ; the first builds the images; without it an own dockerd does
//   IMGPACK_TOOL_PREFIX   a command in front of further tools, such as "chroot /srv/newer"
//   IMGPACK_TOOL_SHARE    a folder both sides see: own path, "=", path behind the prefix
import { chmod, copyFile, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writeContexts } from "./fixtures/content.mjs";
import { buildAndSave, openDaemon, pullAndSave } from "./fixtures/docker-archives.mjs";
import { recordGoldens } from "./fixtures/goldens.mjs";
import { run, startOwnDockerd, startOwnRegistry } from "./fixtures/processes.mjs";
import {
  craneArchives,
  ownTools,
  platformArchives,
  podmanArchives,
  skopeoArchives,
} from "./fixtures/tool-archives.mjs";

const fixtures = fileURLToPath(new URL("../fixtures", import.meta.url));

/** @returns {import("./fixtures/tool-archives.mjs").Toolbox[]} */
function toolboxes() {
  const prefix = process.env["IMGPACK_TOOL_PREFIX"];
  if (prefix === undefined) return [ownTools];
  const [share, inside] = (process.env["IMGPACK_TOOL_SHARE"] ?? "").split("=");
  if (!share || !inside) throw new Error("Cannot use IMGPACK_TOOL_PREFIX: no IMGPACK_TOOL_SHARE, expected OWN=INSIDE");
  return [ownTools, { prefix: prefix.split(" "), share, inside }];
}

const hosts = (process.env["IMGPACK_DOCKER_HOSTS"] ?? "").split(",").filter(Boolean);
const own = hosts.length === 0 ? await startOwnDockerd() : undefined;
const registry = await startOwnRegistry();
const work = await mkdtemp(join(tmpdir(), "imgpack-fixtures-"));
try {
  const daemons = own
    ? [await openDaemon(undefined, own.host)]
    : await Promise.all(
        hosts.map(text => {
          const [name, ...host] = text.split("=");
          return openDaemon(name, host.join("="));
        }),
      );
  const [builder, ...others] = daemons;
  if (builder === undefined) throw new Error("Cannot build the images: no docker daemon given");
  const out = join(work, "out");
  await mkdir(out);
  const made = await buildAndSave(builder, await writeContexts(work), registry.host, out);
  const raw = join(out, `${builder.name}-hello.tar`);
  for (const daemon of others) made.push(...(await pullAndSave(daemon, registry.host, out, raw)));
  for (const box of toolboxes()) {
    made.push(...(await skopeoArchives(box, registry.host, out)));
    made.push(...(await craneArchives(box, registry.host, out)));
  }
  made.push(...(await podmanArchives(registry.host, out)));
  made.push(...(await platformArchives(registry.host, out)));
  await copyFile(raw, join(out, "hello.tar"));
  await run("gzip", ["--no-name", "--best", join(out, "hello.tar")]);
  const first = made.find(entry => entry.file === `${builder.name}-hello.tar`);
  made.push({ file: "hello.tar.gz", producer: first?.producer ?? "", how: `gzip of ${builder.name}-hello.tar` });

  await mkdir(fixtures, { recursive: true });
  await recordGoldens({ made, out, builder, registry: registry.host, fixtures });
  for (const { file } of made) {
    // A copy first: the temporary folder may be on another file system.
    await copyFile(join(out, file), join(fixtures, `${file}.partial`));
    await chmod(join(fixtures, `${file}.partial`), 0o644);
    await rename(join(fixtures, `${file}.partial`), join(fixtures, file));
  }
  console.log(`${made.length} archives in ${fixtures}`);
} finally {
  await rm(work, { recursive: true, force: true });
  await registry.close();
  await own?.close();
}
