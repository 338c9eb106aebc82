import { connect } from "node:net";
import { UsageError } from "../../errors.ts";
import { escapeForeign, quote } from "../../util/format.ts";
import { abortable } from "../../util/promises.ts";
import type { Engine } from "../engine.ts";
import { unreachable } from "../engine-fault.ts";
import { nameAmong, noSuchImage, readImageRequest } from "../image-request.ts";
import { loadByCommand, savedByCommand } from "./command-streams.ts";
import { type EngineCommand, outputOf } from "./run-command.ts";

const DEFAULT_SOCKET = "/run/containerd/containerd.sock";
const DEFAULT_NAMESPACE = "default";
const MAX_VERSION = 64;
const NAMESPACE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,75}$/;
const SERVER_VERSION = /^Server:\s*\n\s*Version:\s*(\S+)/m;

/**
 * Containerd by `ctr`, its own command.
 *
 * @throws UsageError for a namespace that containerd does not take.
 */
export function containerdEngine(env: NodeJS.ProcessEnv): Engine {
  const socket = (env["CONTAINERD_ADDRESS"] || DEFAULT_SOCKET).replace(/^unix:\/\//, "");
  const namespace = env["CONTAINERD_NAMESPACE"] || DEFAULT_NAMESPACE;
  if (!NAMESPACE.test(namespace)) {
    throw new UsageError(
      `Cannot use CONTAINERD_NAMESPACE: found ${quote(namespace)}, expected letters, digits, ".", "_" and "-"`,
    );
  }
  const what = `containerd at unix://${socket}, namespace ${namespace}`;
  const hints = {
    start: "Start containerd, or set CONTAINERD_ADDRESS to its socket; ctr, which comes with it, must be in PATH.",
    permit: "Run the command as root.",
  };
  const command: EngineCommand = { program: "ctr", env, what, hints };
  const words = [`--address=${socket}`, `--namespace=${namespace}`];
  /** `ctr` itself waits for ten seconds, and says less. */
  const reach = async (signal: AbortSignal | undefined): Promise<void> => {
    const connection = connect(socket);
    const connected = new Promise<void>((resolve, reject) => connection.once("connect", resolve).once("error", reject));
    try {
      await abortable(connected, signal);
    } catch (cause) {
      signal?.throwIfAborted();
      throw unreachable({ what, hints }, cause);
    } finally {
      connection.destroy();
    }
  };
  const names = async (signal: AbortSignal | undefined): Promise<readonly string[]> => {
    await reach(signal);
    const text = await outputOf(command, [...words, "images", "ls", "--quiet"], `list the images of ${what}`, signal);
    return text.split("\n").filter(Boolean);
  };
  return {
    kind: "containerd",
    what,
    async facts(signal) {
      await reach(signal);
      const text = await outputOf(command, [...words, "version"], `ask ${what} for its version`, signal);
      const version = escapeForeign(SERVER_VERSION.exec(text)?.[1] ?? "", MAX_VERSION);
      return { kind: "containerd", version, address: `unix://${socket}` };
    },
    async find(image, signal) {
      const request = readImageRequest("containerd", image);
      const all = await names(signal);
      // Kubernetes keeps each image under its digest, too.
      const name = nameAmong(request, all);
      const found = name ?? all.find(one => one === request.text);
      if (found === undefined) throw noSuchImage(what, "containerd", image, all);
      return { request: found, name, isNamed: request.full !== undefined };
    },
    async save({ request }, signal) {
      const deed = `read ${quote(request)} from ${what}`;
      return await savedByCommand(command, [...words, "images", "export", "--", "-", request], deed, signal);
    },
    async load(signal) {
      await reach(signal);
      const deed = `load images into ${what}`;
      return await loadByCommand(command, [...words, "images", "import", "--", "-"], deed, () => undefined, signal);
    },
  };
}
