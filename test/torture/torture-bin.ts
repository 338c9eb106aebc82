// The command, with a watcher at the hook. It is bundled for these tests alone and never ships.
import { run } from "../../src/program.ts";
import { watchOperations } from "../../src/util/operation-hook.ts";
import { createWatcher, type Torment } from "./watcher.ts";

const text = process.env["IMGPACK_TORTURE"];
if (text !== undefined) {
  watchOperations(createWatcher(JSON.parse(text) as Torment, () => void process.kill(process.pid, "SIGKILL")));
}
void run(process.argv.slice(2));
