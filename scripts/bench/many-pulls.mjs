// @ts-check
// many-pulls.mjs COUNT REPOSITORY DIGEST SERVER…: starts a server, pulls a blob from it COUNT times at once, and stops it.
import { spawn } from "node:child_process";
import { once } from "node:events";

const [count = "1", repository = "", digest = "", program = "", ...args] = process.argv.slice(2);
const server = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"] });
let said = "";
const host = await new Promise(resolve => {
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding("utf8").on("data", text => {
      said = (said + text).slice(-4000);
      const [, found] = /(?:^http:\/\/|listening on )(127\.0\.0\.1:\d+)/m.exec(said) ?? [];
      if (found !== undefined) resolve(found);
    });
  }
});
const url = `http://${host}/v2/${repository}/blobs/${digest}`;
const pulls = Array.from({ length: Number(count) }, async () => {
  const curl = spawn("curl", ["--silent", "--show-error", "--fail", "-o", "/dev/null", url], { stdio: "inherit" });
  const [code] = await once(curl, "exit");
  return code === 0;
});
const failed = (await Promise.all(pulls)).filter(isWhole => !isWhole).length;
const ended = once(server, "exit");
server.kill("SIGTERM");
await ended;
if (failed > 0) throw new Error(`${failed} of ${count} pulls failed, expected none`);
