// Secrets of one registry, and all the ways in which an archive, a list or a registry could lead them to another host.
// More cases, one rule at a time: a-*.test.ts.
import { describe, expect, test } from "vitest";
import { type ImgpackError, PartialError, UsageError } from "../../src/errors.ts";
import { copy, copyTo, pull, push, type RegistryOptions, referrers, tags } from "../../src/index.ts";
import { CANARIES, expectNoCanary, failureOf, writtenError } from "../support/canaries.ts";
import { ownEnvironment, runCommand, said } from "../support/command-line.ts";
import { dockerArchive, fileWith, seededBytes, storeImage, temporaryFolder } from "../support/images.ts";
import { type Fault, ScriptedRegistry } from "../support/scripted-registry.ts";
import { tarArchive, tarEntry } from "../support/tar-builder.ts";
import { TEST_TLS } from "../support/test-tls.ts";
import { type RawServer, rawServer } from "../unit/registry/http/raw-server.ts";

const folder = ownEnvironment();
const password = CANARIES.password;

interface Attacker extends RawServer {
  readonly host: string;
  /** All that it was sent. */
  heard(): string;
}

/** A host that records every byte, and asks for a login. */
async function startAttacker(challenge = 'Basic realm="give"', protocol: "http" | "https" = "http"): Promise<Attacker> {
  const heard: Buffer[] = [];
  const server = await rawServer(socket => {
    socket.on("data", data => {
      heard.push(data);
      const bait = challenge.replace("SELF", server.url.origin);
      socket.write(`HTTP/1.1 401 No\r\nContent-Length: 0\r\nWWW-Authenticate: ${bait}\r\n\r\n`);
    });
  }, protocol);
  return { ...server, host: server.url.host, heard: () => Buffer.concat(heard).toString("latin1") };
}

/** Options that belong to a registry, by the flag that messages name. */
const OPTIONS: readonly (readonly [string, Pick<RegistryOptions, "auth" | "tls">])[] = [
  ["--username", { auth: { username: "ci", password } }],
  ["--token-stdin", { auth: { token: CANARIES.bearer } }],
  ["--cert-file", { tls: { clientCertificate: TEST_TLS } }],
  ["--ca-file", { tls: { ca: TEST_TLS.cert } }],
  ["--plain-http", { tls: { plainHttp: true } }],
  ["--insecure", { tls: { insecure: true } }],
];

type Attack = (host: string, registry: RegistryOptions, home: string) => Promise<unknown>;

const NAMED_BY: readonly (readonly [string, Attack])[] = [
  ["an archive names", async (host, registry) => await push([await archiveOf(`${host}/x:1`)], { registry })],
  [
    "the second image of an archive names",
    async (host, registry, home) =>
      await push([await archiveOf(`${home}/x:1`, `${host}/x:1`)], { registry: { ...registry, defaultHost: home } }),
  ],
  [
    "the second of two archives names",
    async (host, registry, home) =>
      await push([await archiveOf(`${home}/x:1`), await archiveOf(`${host}/x:1`)], {
        registry: { ...registry, defaultHost: home },
        compression: "keep",
      }),
  ],
  [
    "an archive names, in a dry run,",
    async (host, registry) => await push([await archiveOf(`${host}/x:1`)], { registry, dryRun: true }),
  ],
  [
    "an archive names, and --image chooses,",
    async (host, registry) => await push([await archiveOf(`${host}/x:1`)], { registry, image: `${host}/x:1` }),
  ],
  [
    "a list names",
    async (host, registry, home) =>
      await pull([`${home}/x`, `${host}/x`], {
        output: `${folder}/none.tar`,
        registry,
        trustedReferences: [`${home}/x`],
      }),
  ],
  [
    "a list names, with --keep-going,",
    async (host, registry, home) =>
      await pull([`${home}/x`, `${host}/x`], {
        output: `${folder}/none.tar`,
        keepGoing: true,
        registry,
        trustedReferences: [`${home}/x`],
      }),
  ],
];

const ATTACKS = NAMED_BY.flatMap(([by, attack]) => OPTIONS.map(([flag, options]) => ({ by, flag, options, attack })));

async function archiveOf(...names: readonly string[]): Promise<string> {
  return await fileWith(dockerArchive({ tags: names }));
}

function errorsOf(error: unknown): readonly unknown[] {
  return error instanceof PartialError ? error.failures : [error];
}

describe("M-06 credentials of the command line follow no name that somebody else wrote", () => {
  test.each(ATTACKS)("a registry that $by gets no connection with $flag", async ({ flag, options, attack }) => {
    const attacker = await startAttacker();
    const error = await failureOf(attack(attacker.host, { ...options, retry: { count: 0 } }, "127.0.0.1:1"));
    const refusal = errorsOf(error).find((found): found is ImgpackError => found instanceof UsageError);
    expect(refusal?.message).toBe(
      `Cannot use ${flag} for ${attacker.host}: an archive or a list names it, expected a registry that you name`,
    );
    expect(attacker.sockets).toHaveLength(0);
    expectNoCanary(writtenError(error));
  });

  test("Docker Hub in a list is not the user's choice because a short name was typed, if short names go elsewhere", async () => {
    const registry = { tls: { insecure: true }, defaultHost: "127.0.0.1:1", retry: { count: 0 } };
    const output = `${folder}/none.tar`;
    await expect(
      pull(["app", "docker.io/library/app"], { output, registry, trustedReferences: ["app"] }),
    ).rejects.toThrow("Cannot use --insecure for docker.io: an archive or a list names it");
  });

  test("an archive's registry gets the credentials when --registry, --to, --tag or IMGPACK_REGISTRY names it as well", async () => {
    const auth = { scheme: "basic", user: "ci", password } as const;
    const home = await ScriptedRegistry.start({ auth });
    const login = { auth: { username: "ci", password } };
    const archive = await archiveOf(`${home.host}/x:1`);
    for (const options of [
      { registry: { ...login, host: home.host } },
      { registry: { ...login, defaultHost: home.host } },
      { registry: login, to: `${home.host}/team` },
      { registry: login, tag: `${home.host}/team/y:1` },
    ]) {
      await expect(push([archive], options)).resolves.toMatchObject({ images: [{}] });
    }
  });

  test("two registries on one command line are refused before either is reached", async () => {
    const [first, second] = [await startAttacker(), await startAttacker()];
    const registry = { auth: { username: "ci", password } };
    const output = `${folder}/none.tar`;
    for (const run of [
      async () => await copy(`${first.host}/x:1`, `${second.host}/y:1`, { registry }),
      async () => await copyTo([`${first.host}/x:1`], second.host, { registry }),
      async () => await pull([`${first.host}/x`, `${second.host}/x`], { registry, output }),
    ]) {
      const error = await failureOf(run());
      expect(error.message).toContain(`Cannot log in to ${second.host}: credentials were given for ${first.host}`);
      expect(error).toBeInstanceOf(UsageError);
    }
    expect([...first.sockets, ...second.sockets]).toHaveLength(0);
  });

  test("pull --from-file --plain-http ends with exit code 2 for a registry of the list, and takes one of the command line", async () => {
    const attacker = await startAttacker();
    const list = await fileWith(Buffer.from(`${attacker.host}/x:1\n`), "list.txt");
    const words = ["pull", "--from-file", list, "-o", `${folder}/none.tar`, "--plain-http", "--retry", "0"];
    const refused = await runCommand(...words);
    expect(refused.exitCode).toBe(2);
    expect(said(refused)[0]).toContain(`Cannot use --plain-http for ${attacker.host}`);
    expect(attacker.sockets).toHaveLength(0);
    const allowed = await runCommand(...words, "--registry", attacker.host);
    expect(allowed.exitCode).toBe(4);
    expect(attacker.sockets.length).toBeGreaterThan(0);
  });
});

/** What a registry does with a request that carries its credentials, to get them to another host. */
interface Trap {
  readonly what: string;
  readonly faults: (attacker: Attacker) => readonly Fault[];
  readonly run: (home: ScriptedRegistry, attacker: Attacker, registry: RegistryOptions) => Promise<unknown>;
  /** False where nothing is to reach the attacker at all. */
  readonly isReached: boolean;
}

const authorized = ({ headers }: { readonly headers: Record<string, unknown> }): boolean =>
  headers["authorization"] !== undefined;

function redirecting(on: RegExp, status: number): Trap["faults"] {
  return ({ url }) => [
    { on, when: authorized, times: 99, reply: { status, headers: { location: `${url.origin}/away?x=1` } } },
  ];
}

async function pullFrom({ host }: ScriptedRegistry, registry: RegistryOptions, mirror?: string): Promise<unknown> {
  const output = `${await temporaryFolder()}/out.tar`;
  return await pull([`${host}/app:1`], { registry, mirror, output, platform: "all" });
}

async function pushTo({ host }: ScriptedRegistry, registry: RegistryOptions, isSmall = true): Promise<unknown> {
  if (isSmall) return await push([await archiveOf("x:1")], { registry: { ...registry, host }, compression: "keep" });
  const layers = [tarArchive([tarEntry({ name: "large", body: seededBytes("large", 1_100_000) })])];
  return await push([await fileWith(dockerArchive({ tags: ["x:1"], layers }))], { registry: { ...registry, host } });
}

const READS: readonly (readonly [string, RegExp, Trap["run"]])[] = [
  ["a manifest", /^GET .*manifests/, async (home, _attacker, registry) => await pullFrom(home, registry)],
  ["a small or large blob", /^GET .*blobs/, async (home, _attacker, registry) => await pullFrom(home, registry)],
  ["a list of tags", /^GET .*tags/, async ({ host }, _attacker, registry) => await tags(`${host}/app`, { registry })],
  [
    "a list of referrers",
    /^GET .*referrers/,
    async ({ host }, _attacker, registry) => await referrers(`${host}/app:1`, { registry }),
  ],
];

const WRITES: readonly (readonly [string, RegExp])[] = [
  ["the start of an upload", /^POST/],
  ["the bytes of a blob", /^(PUT|PATCH) .*uploads/],
  ["a manifest that is pushed", /^PUT .*manifests/],
];

const TRAPS: readonly Trap[] = [
  ...READS.flatMap(([what, on, run]) =>
    [301, 302, 303, 307, 308].map(status => ({
      what: `redirects ${what} with ${status}`,
      faults: redirecting(on, status),
      run,
      isReached: true,
    })),
  ),
  ...WRITES.flatMap(([what, on]) =>
    [302, 307, 308].map(status => ({
      what: `redirects ${what} with ${status}`,
      faults: redirecting(on, status),
      run: async (home: ScriptedRegistry, _attacker: Attacker, registry: RegistryOptions) =>
        await pushTo(home, registry),
      isReached: false,
    })),
  ),
  {
    what: "opens an upload session at the other host",
    faults: ({ url }) => [
      {
        on: /^POST/,
        when: authorized,
        times: 99,
        reply: { status: 202, headers: { location: `http://localhost:${url.port}/up` } },
      },
    ],
    run: async (home, _attacker, registry) => await pushTo(home, registry),
    isReached: true,
  },
  {
    what: "moves an upload session to the other host",
    faults: ({ url }) => [
      {
        on: /^PATCH/,
        when: authorized,
        times: 9,
        reply: { status: 202, headers: { location: `http://localhost:${url.port}/up` } },
      },
    ],
    run: async (home, _attacker, registry) => await pushTo(home, registry, false),
    isReached: true,
  },
  {
    what: "links to a next page at the other host",
    faults: ({ url }) => [
      {
        on: /^GET .*tags/,
        when: authorized,
        reply: { status: 200, headers: { link: `<${url.origin}/n>; rel="next"` }, body: Buffer.from('{"tags":["1"]}') },
      },
    ],
    run: async ({ host }, _attacker, registry) => await tags(`${host}/app`, { registry }),
    isReached: false,
  },
  {
    what: "is asked after a mirror that wants a login",
    faults: () => [],
    run: async (home, attacker, registry) => await pullFrom(home, registry, attacker.host),
    isReached: true,
  },
];

describe("A-04 a registry does not get its credentials to another host", () => {
  const challenges = ['Basic realm="give"', 'Bearer realm="SELF/token",service="give",scope="repository:app:pull"'];
  const cases = TRAPS.flatMap((trap, index) => {
    const scheme = index % 2 === 0 ? ("basic" as const) : ("bearer" as const);
    return { ...trap, scheme, challenge: challenges[Math.floor(index / 2) % 2] };
  });

  test.each(cases)("a registry with $scheme auth that $what", async ({ scheme, challenge, faults, run, isReached }) => {
    const attacker = await startAttacker(challenge);
    const auth = { scheme, user: "ci", password } as const;
    const home = await ScriptedRegistry.start({ auth, faults: faults(attacker) });
    storeImage(home.content, [seededBytes("small", 1000), seededBytes("large", 1_100_000)]);
    const registry = { auth: { username: "ci", password }, retry: { count: 0 } };
    const outcome = await run(home, attacker, registry).catch((error: unknown) => error);
    // They were in use, and went home.
    expect(home.requests.some(authorized)).toBe(true);
    expect(attacker.sockets.length > 0).toBe(isReached);
    expect(attacker.heard()).not.toMatch(/authorization|cookie|token-\d+-of/i);
    expectNoCanary(attacker.heard(), writtenError(outcome));
  });
});

describe("A-19 a client certificate is shown to its registry alone", () => {
  test.each(READS)("and not to the host that %s is redirected to", async (_what, on, run) => {
    const attacker = await startAttacker(undefined, "https");
    const faults = redirecting(on, 307)(attacker).map(({ when: _, ...fault }) => fault);
    const home = await ScriptedRegistry.start({ tls: TEST_TLS, faults });
    storeImage(home.content, [seededBytes("small", 1000), seededBytes("large", 1_100_000)]);
    const tls = { ca: TEST_TLS.cert, clientCertificate: TEST_TLS };
    await failureOf(run(home, attacker, { tls, retry: { count: 0 } }));
    expect(home.requests.length).toBeGreaterThan(0);
    // Its certificate is not trusted either, because --ca-file is for the registry.
    expect(attacker.heard()).toBe("");
  });
});
