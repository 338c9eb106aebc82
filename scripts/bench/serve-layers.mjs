// @ts-check
// serve-layers.mjs PROGRAM…: starts a server, pulls all layers of all its images with curl, one after the other, and stops it.
import { spawn } from "node:child_process";
import { once } from "node:events";

const [program = "", ...args] = process.argv.slice(2);
const server = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
const url = await new Promise((resolve, reject) => {
  server.stdout.setEncoding("utf8").on("data", text => resolve(`${text}`.trim()));
  server.on("exit", code => reject(new Error(`Cannot start the server: status ${code}`)));
});
const ask = async (/** @type {string} */ path) => {
  const response = await fetch(`${url}${path}`);
  if (response.status !== 200) throw new Error(`${path} has status ${response.status}, expected 200`);
  return await response.json();
};
let failed = 0;
const { repositories } = /** @type {{ repositories: string[] }} */ (await ask("/v2/_catalog?n=1000"));
for (const name of repositories) {
  const { tags } = /** @type {{ tags: string[] }} */ (await ask(`/v2/${name}/tags/list`));
  const { layers } = /** @type {{ layers: { digest: string }[] }} */ (await ask(`/v2/${name}/manifests/${tags[0]}`));
  const urls = layers.flatMap(({ digest }) => ["-o", "/dev/null", `${url}/v2/${name}/blobs/${digest}`]);
  const curl = spawn("curl", ["--silent", "--show-error", "--fail", ...urls], { stdio: "inherit" });
  const [code] = await once(curl, "exit");
  if (code !== 0) failed += 1;
}
const ended = once(server, "exit");
server.kill("SIGTERM");
await ended;
if (repositories.length === 0 || failed > 0)
  throw new Error(`${failed} of ${repositories.length} images failed, expected some images, and none of them`);
