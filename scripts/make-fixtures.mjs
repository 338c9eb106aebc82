// @ts-check
// Makes the archives in fixtures/ that are not there yet, with the tools of this machine; --all makes every one again.
// Files whose tool is absent stay as they are.
//   IMGPACK_DOCKER_HOSTS  name=unix:///path.sock,… ; the first has the images; without it an own dockerd does
//   IMGPACK_TOOL_PREFIX   a command in front of further tools, such as "chroot /srv/newer"
//   IMGPACK_TOOL_SHARE    a folder both sides see: own path, "=", path behind the prefix
import { existsSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, rename } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensureDir, remove } from "fs-extra/esm";
import { buildxArchives } from "./fixtures/buildx-archives.mjs";
import { ctrArchives } from "./fixtures/containerd-archives.mjs";
import { writeContexts } from "./fixtures/content.mjs";
import { bringImages, openDaemon, pulledArchives, savedArchives } from "./fixtures/docker-archives.mjs";
import { judgeArchive, recordGoldens } from "./fixtures/goldens.mjs";
import { orasArchives } from "./fixtures/oras-archives.mjs";
import { plainArchives } from "./fixtures/plain-archives.mjs";
import { buildahArchives, podmanArchives } from "./fixtures/podman-archives.mjs";
import { run, startOwnDockerd, startOwnRegistry } from "./fixtures/processes.mjs";
import { craneArchives, skopeoArchives, umociArchives } from "./fixtures/tool-archives.mjs";
import { ownTools } from "./fixtures/toolbox.mjs";

const fixtures = fileURLToPath(new URL("../fixtures", import.meta.url));
const makesAll = process.argv.includes("--all");

/** @returns {import("./fixtures/toolbox.mjs").Toolbox[]} */
function toolboxes() {
  const prefix = process.env["IMGPACK_TOOL_PREFIX"];
  if (prefix === undefined) return [ownTools];
  const [share, inside] = (process.env["IMGPACK_TOOL_SHARE"] ?? "").split("=");
  if (!share || !inside) throw new Error("Cannot use IMGPACK_TOOL_PREFIX: no IMGPACK_TOOL_SHARE, expected OWN=INSIDE");
  return [ownTools, { prefix: prefix.split(" "), share, inside }];
}

/** @type {(() => Promise<unknown>)[]} */
const closers = [];
const out = await mkdtemp(join(tmpdir(), "imgpack-fixtures-"));
/** @type {Record<string, import("./fixtures/goldens.mjs").Golden>} */
const goldens = {};
/** @type {Set<string>} */
const made = new Set();
try {
  await mkdir(join(out, "dirs"));
  closers.push(() => remove(out));
  const hosts = (process.env["IMGPACK_DOCKER_HOSTS"] ?? "").split(",").filter(Boolean);
  const own = hosts.length === 0 ? await startOwnDockerd() : undefined;
  if (own !== undefined) closers.push(own.close);
  const registry = await startOwnRegistry();
  closers.push(registry.close);
  /** @type {import("./fixtures/toolbox.mjs").Kitchen} */
  const kitchen = {
    registry: registry.host,
    archive: file => (made.has(file) ? join(out, file) : join(fixtures, file)),
    onClose: close => closers.push(close),
  };

  const given = own ? [`=${own.host}`] : hosts;
  const daemons = [];
  for (const text of given) {
    const [name, ...host] = text.split("=");
    daemons.push(await openDaemon(kitchen, name || undefined, host.join("=")));
  }
  const [builder, ...others] = daemons;
  if (builder === undefined) throw new Error("Cannot build the images: no docker daemon given");
  const newer = daemons.find(({ version, containerd }) => !containerd && Number.parseInt(version, 10) >= 23);
  const judges = { builder, newer, registry: registry.host };

  /** @param {import("./fixtures/toolbox.mjs").Recipe[]} recipes */
  const make = async recipes => {
    /** @type {(() => Promise<void>)[]} */
    const judgements = [];
    for (const recipe of recipes) {
      if (!makesAll && existsSync(join(fixtures, recipe.file))) continue;
      if (recipe.judge.by === "newer docker" && newer === undefined) continue;
      const path = join(out, recipe.file);
      const digests = await recipe.make(path);
      if (digests === false) continue;
      made.add(recipe.file);
      judgements.push(async () => {
        goldens[recipe.file] = await judgeArchive(recipe, path, digests ?? {}, judges);
        console.log(`${recipe.file}: ${goldens[recipe.file]?.bytes} bytes`);
      });
    }
    // Afterwards: a daemon that judges forgets the images, which the recipes save.
    for (const judge of judgements) await judge();
  };

  // Image IDs carry the time of the build: archives that join the others hold the images of the others.
  const held = ["hello", "shared", "twice"].map(shape => `${builder.name}-${shape}.tar`);
  const isHeld = held.every(file => existsSync(join(fixtures, file)));
  if (!isHeld && !makesAll) throw new Error(`Cannot add fixtures: not all of ${held.join(", ")} are there; try --all`);
  await bringImages(builder, kitchen, makesAll ? await writeContexts(join(out, "build")) : undefined);
  await make(savedArchives(builder));
  await make(await umociArchives(kitchen));
  const attesting = daemons.find(({ containerd }) => containerd);
  if (attesting !== undefined) await make(await buildxArchives(attesting, kitchen));

  const known = [...made, ...(await readdir(fixtures))];
  const seeds = {
    "multi:1.0": /^multi-platform-oci\.tar$/,
    "attested:1.0": /^buildx\d+-oci-attested\.tar$/,
    "zstd:1.0": /^buildx\d+-oci-zstd\.tar$/,
  };
  for (const [image, pattern] of Object.entries(seeds)) {
    const file = known.find(name => pattern.test(name));
    if (file === undefined) throw new Error(`Cannot fill the registry with ${image}: no ${pattern} among the fixtures`);
    const flags = ["--insecure-policy", "copy", "--all", "--preserve-digests", "--dest-tls-verify=false"];
    const target = `docker://${registry.host}/${image}`;
    await run("skopeo", [...flags, `oci-archive:${kitchen.archive(file)}`, target]);
  }
  for (const daemon of others) await make(pulledArchives(daemon, kitchen));
  for (const box of toolboxes()) {
    for (const archives of [
      skopeoArchives,
      craneArchives,
      podmanArchives,
      buildahArchives,
      orasArchives,
      ctrArchives,
    ]) {
      await make(await archives(box, kitchen));
    }
  }
  await make(await plainArchives(kitchen));

  for (const file of Object.keys(goldens)) {
    const target = join(fixtures, file);
    await ensureDir(dirname(target));
    await remove(`${target}.partial`);
    // A copy first: the temporary folder may be on another file system.
    await cp(join(out, file), `${target}.partial`, { recursive: true });
    await run("find", [`${target}.partial`, "-type", "d", "-empty", "-delete"]);
    await run("chmod", ["-R", "u=rwX,go=rX", `${target}.partial`]);
    await remove(target);
    await rename(`${target}.partial`, target);
  }
  await recordGoldens(fixtures, goldens);
  console.log(`${Object.keys(goldens).length} archives added to ${fixtures}`);
} finally {
  for (const close of closers.reverse()) await close().catch(error => console.error(error));
}
