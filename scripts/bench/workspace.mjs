// @ts-check
// One temp folder and the processes started for it: both go at the end and on Ctrl-C.
import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";

/**
 * @typedef {object} Workspace
 * @property {string} folder
 * @property {NodeJS.ProcessEnv} env for every program: no credentials of this user, temp files inside the folder
 * @property {(argv: string[], options?: { env?: NodeJS.ProcessEnv }) => Running} start
 * @property {(argv: string[], options?: { env?: NodeJS.ProcessEnv }) => Promise<string>} run to its end; gives stdout
 * @property {() => void} close
 */

/**
 * @typedef {object} Running
 * @property {Promise<number>} ended exit status, -1 for a signal; rejects when the program cannot start
 * @property {() => string} stdout
 * @property {() => string} stderr
 * @property {(signal: NodeJS.Signals) => void} kill
 */

/**
 * @param {string} [parent] folder that holds the new one, default the system's
 * @returns {Promise<Workspace>}
 */
export async function createWorkspace(parent = tmpdir()) {
  const folder = await mkdtemp(join(parent, "imgpack-bench-"));
  const temp = join(folder, "tmp");
  const config = join(folder, "config");
  await Promise.all([mkdir(temp), mkdir(config)]);
  // podman asks for the file.
  await writeFile(join(config, "config.json"), "{}\n");
  const env = {
    ...process.env,
    TMPDIR: temp,
    DOCKER_CONFIG: config,
    XDG_DATA_HOME: join(folder, "data"),
    // Node 20 reads extra certificates at every start, which takes longer than the start itself; nothing here talks TLS.
    NODE_EXTRA_CA_CERTS: undefined,
    NODE_OPTIONS: undefined,
  };
  /** @type {Set<number>} */
  const groups = new Set();

  const close = () => {
    for (const pid of groups) killGroup(pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  };
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"])) {
    process.once(signal, () => {
      close();
      process.exit(128 + constants.signals[signal]);
    });
  }

  /** @type {Workspace["start"]} */
  const start = (argv, options = {}) => {
    const [program = "", ...args] = argv;
    // A group of its own: killing GNU time alone would leave the program it measures.
    const child = spawn(program, args, {
      detached: true,
      env: { ...env, ...options.env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const { pid } = child;
    if (pid !== undefined) groups.add(pid);
    const read = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", text => {
      read.stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", text => {
      read.stderr = (read.stderr + text).slice(-4000);
    });
    /** @type {Promise<number>} */
    const ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", code => {
        if (pid !== undefined) groups.delete(pid);
        resolve(code ?? -1);
      });
    });
    return {
      ended,
      stdout: () => read.stdout,
      stderr: () => read.stderr,
      kill: signal => {
        if (pid !== undefined && groups.has(pid)) killGroup(pid, signal);
      },
    };
  };

  /** @type {Workspace["run"]} */
  const run = async (argv, options) => {
    const child = start(argv, options);
    const status = await child.ended;
    if (status !== 0) {
      const text = child.stderr() || child.stdout();
      throw new Error(`Cannot run ${argv.join(" ")}: status ${status}, expected 0\n${text}`);
    }
    return child.stdout();
  };

  return { folder, env, start, run, close };
}

/** @param {number} pid @param {NodeJS.Signals} signal */
function killGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // It has ended by itself.
  }
}
