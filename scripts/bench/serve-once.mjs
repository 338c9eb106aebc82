// @ts-check
// serve-once.mjs PATH PROGRAM…: starts a server, asks it for one path if that is not empty, and stops it.
import { spawn } from "node:child_process";
import { once } from "node:events";

const [path = "", program = "", ...args] = process.argv.slice(2);
const server = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
const url = await new Promise((resolve, reject) => {
  server.stdout.setEncoding("utf8").on("data", text => resolve(`${text}`.trim()));
  server.on("exit", code => reject(new Error(`Cannot start the server: status ${code}`)));
});
let status = 200;
if (path !== "") {
  const response = await fetch(`${url}${path}`);
  ({ status } = response);
  await response.arrayBuffer();
}
const ended = once(server, "exit");
server.kill("SIGTERM");
await ended;
if (status !== 200) throw new Error(`${path} has status ${status}, expected 200`);
