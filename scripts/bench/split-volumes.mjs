// @ts-check
// split-volumes.mjs ARCHIVE FOLDER SIZE PROGRAM…: writes each volume of an archive, and removes it before the next one.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { emptyDir } from "fs-extra/esm";

const [archive = "", folder = "", size = "", program = "", ...words] = process.argv.slice(2);
for (let volume = 1, of = 1; volume <= of; volume++) {
  await emptyDir(folder);
  const split = [archive, join(folder, "site.tar"), "--volume-size", size, "--volume", `${volume}`, "--json"];
  const child = spawn(program, [...words, "convert", ...split], { stdio: ["ignore", "pipe", "ignore"] });
  let text = "";
  child.stdout.setEncoding("utf8").on("data", part => {
    text += part;
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`Cannot write volume ${volume}: status ${code}, expected 0`);
  of = JSON.parse(text).volumes[0].of;
}
