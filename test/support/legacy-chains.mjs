// @ts-check
// Layers of images before Docker 1.10, as JSON text: what is written differs in ways that parsed JSON hides.
import { createHash } from "node:crypto";

/** @param {number} index 0 is the base. */
export function layerId(index) {
  return createHash("sha256").update(`legacy layer ${index}`).digest("hex");
}

/**
 * @param {number} index
 * @param {string} [members] more members, as JSON text
 */
function layer(index, members = "") {
  const parent = index === 0 ? "" : `,"parent":"${layerId(index - 1)}"`;
  return `{"id":"${layerId(index)}"${parent}${members === "" ? "" : `,${members}`}}`;
}

/** @param {string} members of a top layer of Docker 1.9 without a parent */
function modern(members) {
  return [
    layer(0, `"docker_version":"1.9.1","os":"linux","created":"2015-11-03T22:13:20Z"${members && `,${members}`}`),
  ];
}

/** @param {string} members of a top layer of Docker 1.6 without a parent */
function old(members) {
  return [layer(0, `"docker_version":"1.6.0","created":"2015-05-03T22:13:20Z"${members && `,${members}`}`)];
}

/** @param {string} created as JSON */
const at = created => [layer(0, `"docker_version":"1.9.1","os":"linux","created":${created}`)];
/** @param {string} version */
const by = version => [layer(0, `"docker_version":"${version}","created":"2015-05-03T22:13:20Z","x":1`)];

const FULL_CONFIG = [
  '"Hostname":"h","Domainname":"d","User":"u","Memory":0,"MemorySwap":0,"CpuShares":12,"Cpuset":"","AttachStdin":true',
  '"AttachStdout":false,"AttachStderr":true,"PortSpecs":null,"ExposedPorts":{"80/tcp":{},"443/tcp":{}},"Tty":true',
  '"OpenStdin":true,"StdinOnce":true,"Env":["A=é","B=<x>&\\u2028"],"Cmd":["/bin/sh","-c","#(nop) CMD [\\"x\\"]"]',
  '"Image":"i","Volumes":{"/b":{},"/a":{}},"WorkingDir":"/w","Entrypoint":["/e"],"NetworkDisabled":true',
  '"MacAddress":"02:42:ac:11:00:02","OnBuild":["RUN x"],"Labels":{"z":"1","10":"x","9":"y"},"StopSignal":"SIGKILL"',
  '"Healthcheck":{"Test":["CMD","x"],"Interval":30000000000,"Timeout":0,"Retries":3,"StartPeriod":9007199254740993}',
  '"ArgsEscaped":true,"StopTimeout":12,"Shell":["/bin/bash","-c"]',
].join(",");

/** By name; base first. @type {Readonly<Record<string, readonly string[]>>} */
export const LEGACY_CHAINS = {
  "one layer": modern(""),
  "no fields": [layer(0)],
  "two layers": [
    layer(0, '"created":"2015-11-03T22:13:20Z","container_config":{"Cmd":["/bin/sh","-c","base"]}'),
    layer(
      1,
      '"docker_version":"1.9.1","created":"2015-11-04T22:13:20.123456789Z","author":"me","comment":"hm","os":"linux","architecture":"amd64","config":{"Cmd":["a && b <c>"]}',
    ),
  ],
  "base of Docker 1.5 below a top of 1.9": [
    layer(0, `"docker_version":"1.5.0","created":"2015-01-02T03:04:05.000000600Z","container_config":{${FULL_CONFIG}}`),
    layer(1, '"docker_version":"1.9.1","created":"2016-01-01T00:00:00.5Z"'),
  ],
  "chain fields": modern('"Size":7,"parent_id":"x","layer_id":"y","throwaway":true'),
  "throwaway base": [
    layer(0, '"created":"2015-11-03T22:13:20Z","throwaway":true'),
    layer(1, '"docker_version":"1.9.1","created":"2016-01-01T00:00:00Z"'),
  ],
  "size of another case": modern('"size":7,"Parent_id":"z"'),
  "unknown fields": modern('"zeta":{"b":1,"a":[true,null,{}]},"aé":null,"Weird<":{},"":1,"10":1,"9":2'),
  "empty command": modern('"container_config":{"Cmd":[]}'),
  "command of one empty word": modern('"container_config":{"Cmd":[""]}'),
  "command with empty words": modern('"container_config":{"Cmd":["","a",""]}'),
  "command that is text": modern('"container_config":{"Cmd":"run me"}'),
  "command with null": modern('"container_config":{"Cmd":["a",null,"b"]}'),
  "command null": modern('"container_config":{"Cmd":null}'),
  "container_config null": modern('"container_config":null'),
  "null fields": modern('"author":null,"comment":null,"config":null,"architecture":null,"container":null,"Size":null'),
  "empty fields": modern('"author":"","comment":"","architecture":"","container":"","parent":""'),
  "escapes in the config": modern(
    '"config":{"a":"\\u00e9\\/<&>\\u2028\\u003c \\ud83d\\ude00 😀 \u2029","k<":"\\u0041"}',
  ),
  "escapes in the history": modern(
    '"author":"A <a@b> & \\u00e9\\u2028 😀","comment":"c\\u0008\\f\\n\\r\\t\\u0001\\u007f\\"\\\\\\/","container_config":{"Cmd":["a\\tb","<c>"]}',
  ),
  "escapes in an old image": old(
    '"author":"A <a@b> & \\u00e9\\u2028 😀","comment":"c\\u0008\\f\\n\\r\\t\\u0001\\u007f\\"\\\\\\/","container_config":{"Cmd":["a\\tb","<c>"]}',
  ),
  numbers: modern('"n":[1.0,1e3,1E+2,12345678901234567890,-0.10,0,-0,9007199254740993,1e400],"m":9007199254740993'),
  blanks: [
    ` {\n\t"id" : "${layerId(0)}" , "docker_version":"1.9.1",\r\n "config" : { "a" : [ 1 , 2 ] , "b" : " x  y " } }\n`,
  ],
  "order of keys": modern('"zz":1,"Aa":{"b":1,"a":2},"aa":{"2":"x","1":"y"}'),
  "no created": [layer(0, '"docker_version":"1.9.1","os":"linux"')],
  "created null": at("null"),
  "created empty": at('""'),
  "created with zeros at the end": at('"2015-11-03T22:13:20.120000000Z"'),
  "created with zeros alone": at('"2015-11-03T22:13:20.000Z"'),
  "created with nanoseconds": at('"2015-11-03T22:13:20.123456789Z"'),
  "created with ten digits": at('"2015-11-03T22:13:20.1234567899Z"'),
  "created with a comma": at('"2015-11-03T22:13:20,5Z"'),
  "created with an offset": at('"2013-03-23T22:24:18.818426-07:00"'),
  "created with offset zero": at('"2015-11-03T22:13:20+00:00"'),
  "created with minus zero": at('"2015-11-03T22:13:20-00:00"'),
  "created with a half hour": at('"2015-11-03T22:13:20.10+05:30"'),
  "created with 60 minutes": at('"2015-11-03T22:13:20+07:60"'),
  "created with 25 hours": at('"2015-11-03T22:13:20+25:00"'),
  "created with one digit": at('"2015-11-03T2:13:20Z"'),
  "created in lower case": at('"2015-11-03t22:13:20z"'),
  "created on February 30": at('"2015-02-30T22:13:20Z"'),
  "created on February 29": at('"2016-02-29T22:13:20Z"'),
  "created on February 29 of 2015": at('"2015-02-29T22:13:20Z"'),
  "created in a leap second": at('"2015-06-30T23:59:60Z"'),
  "created at hour 24": at('"2015-06-30T24:00:00Z"'),
  "created in year 0": at('"0000-01-01T00:00:00Z"'),
  "created in year 1": at('"0001-01-01T00:00:00Z"'),
  "created as a number": at("5"),
  "old image": old(""),
  "old image with all of a config": old(
    `"container":"abc","author":"me","comment":"hm","architecture":"amd64","os":"linux","Size":9,"container_config":{${FULL_CONFIG}},"config":{${FULL_CONFIG}}`,
  ),
  "old image with an empty config": old('"config":{},"container_config":{}'),
  "old image with config null": old('"config":null,"container_config":null'),
  "old image with null in its config": old(
    '"config":{"Hostname":null,"Env":null,"Cmd":null,"Volumes":null,"ExposedPorts":null,"Labels":null,"Tty":null,"OnBuild":null,"Healthcheck":null,"StopTimeout":null}',
  ),
  "old image with empty lists": old(
    '"config":{"Env":[],"Cmd":[],"Entrypoint":[],"Volumes":{},"ExposedPorts":{},"Labels":{},"OnBuild":[],"Healthcheck":{},"StopTimeout":0,"Shell":[]}',
  ),
  "old image with commands that are text": old('"config":{"Cmd":"run me","Entrypoint":"/e","Shell":"/s"}'),
  "old image with Env that is text": old('"config":{"Env":"A=b"}'),
  "old image with null in lists": old('"config":{"Env":["a",null],"Labels":{"a":null},"Volumes":{"/a":null}}'),
  "old image with a volume that is text": old('"config":{"Volumes":{"/a":"b"}}'),
  "old image with Tty as text": old('"config":{"Tty":"yes"}'),
  "old image with numbers": old('"x":9007199254740993,"Size":12345678901'),
  "old image with a size with a fraction": old('"Size":1.5'),
  "old image with a variant": old('"architecture":"arm","variant":"v7","os":"linux"'),
  "old image without a time": [layer(0, '"docker_version":"1.6.0"')],
  "old image with zeros in its time": [layer(0, '"docker_version":"1.6.0","created":"2015-05-03T22:13:20.100-07:00"')],
  "old image of two layers": [
    layer(0, '"docker_version":"1.2.0","created":"2014-05-03T22:13:20.1Z","container_config":{"Cmd":["base"]}'),
    layer(1, '"docker_version":"1.6.0","created":"2015-05-03T22:13:20Z","author":"me"'),
  ],
  "no version, and a config": [layer(0, `"created":"2015-05-03T22:13:20Z","x":1,"config":{${FULL_CONFIG}}`)],
  "version null": [layer(0, '"docker_version":null,"x":1')],
  "version empty": by(""),
  "version 0.6.3": by("0.6.3"),
  "version 1.8.2": by("1.8.2"),
  "version 1.8.3": by("1.8.3"),
  "version 1.8.3-rc1": by("1.8.3-rc1"),
  "version 1.8.10": by("1.8.10"),
  "version 1.9": by("1.9"),
  "version 2": by("2"),
  "version 1.8": by("1.8"),
  "version dev": by("dev"),
  "version with a plus": by("+1.+8.+3"),
  "version with a minus": by("1.-9.9"),
  "version with a huge part": by("1.99999999999999999999"),
  "version with a blank": by("1.9 .1"),
  "version 17.03.0-ce": by("17.03.0-ce"),
  "keys of another case": modern('"Author":"me","CREATED":"2016-01-01T00:00:00Z","Container_Config":{"cmd":["x"]}'),
  "old image with keys of another case": old('"Author":"me","OS":"linux","Config":{"hostname":"h","env":["x"]}'),
  "a key twice": modern('"author":"a","author":"b","x":1,"x":2'),
};
