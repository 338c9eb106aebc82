// deploy/kubernetes, without a cluster: the published schemas, and what they do not say.
import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { kubernetesFaults } from "../../support/kubernetes-faults.ts";
import { MANIFESTS, type Manifest, PARTS, readKustomization, readManifests } from "../../support/pod-manifests.ts";

const PODS = PARTS.flatMap(readManifests).flatMap(({ metadata, spec: { template } }) =>
  template === undefined ? [] : [{ name: metadata.name, ...template, container: template.spec.containers[0] }],
);

test.each(PARTS)("%s has the fields, types and values that Kubernetes expects", name => {
  const manifests = readManifests(name);
  expect(manifests.length).toBeGreaterThan(0);
  expect(manifests.flatMap(kubernetesFaults)).toEqual([]);
});

test.each([
  ["a typing error in a field", '"readOnlyRootFilesystem"', '"readOnlyRootFilesytem"', "unknown field"],
  ["a typing error below a list", '"readOnly":true', '"readonly":true', "unknown field"],
  ["a missing field", '"mountPath":"/lock",', "", "must have required property mountPath"],
  ["text in place of a number", '"completions":8', '"completions":"8"', "completions must be integer"],
  ["a value that Kubernetes does not know", '"Indexed"', '"Index"', "must be equal to one of the allowed values"],
  ["a bad quantity", '"256Mi"', "[]", "must be"],
  ["another API", '"batch/v1"', '"batch/v2"', "no schema for batch/v2 Job"],
])("the check of a manifest finds %s", (_, found, put, fault) => {
  const text = JSON.stringify(readManifests("copy")[0]);
  expect(text).toContain(found);
  expect(kubernetesFaults(JSON.parse(text.replace(found, put))).join()).toContain(fault);
});

describe.each(PODS)("the pod of $name", ({ spec, container }) => {
  test("may do nothing but what imgpack needs", () => {
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(spec.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65532,
      seccompProfile: { type: "RuntimeDefault" },
    });
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(container.resources).toMatchObject({ requests: { cpu: expect.anything() }, limits: { memory: "1Gi" } });
  });

  test("mounts each of its volumes, and names only paths below them", () => {
    const { volumeMounts, args, env = [] } = container;
    expect(volumeMounts.map(({ name }) => name)).toEqual(spec.volumes.map(({ name }) => name));
    const texts = [...args, ...env.map(({ value }) => value)];
    const paths = texts.flatMap(text => /(?:^|=)(\/.*)/.exec(text)?.[1] ?? []);
    expect(paths.length).toBeGreaterThan(0);
    const isMounted = (path: string) => volumeMounts.some(({ mountPath }) => `${path}/`.startsWith(`${mountPath}/`));
    expect(paths.filter(path => !isMounted(path))).toEqual([]);
    expect(volumeMounts.map(({ mountPath }) => mountPath)).toContain("/tmp");
  });
});

test("the Job has as many indexes as --shard has shards, and retries each by itself", () => {
  const [{ spec }] = readManifests("copy") as readonly [Manifest];
  expect(spec.completionMode).toBe("Indexed");
  expect(spec.template?.spec.containers[0].args).toContain(`--shard=$(JOB_COMPLETION_INDEX)/${spec.completions}`);
  expect(spec.backoffLimitPerIndex).toBeGreaterThan(0);
  // Kubernetes takes a podFailurePolicy with this policy only, and FailIndex with backoffLimitPerIndex only.
  expect(spec.podFailurePolicy).toBeDefined();
  expect(spec.template?.spec.restartPolicy).toBe("Never");
});

test("the rest is copied as the shards were", () => {
  const podOf = (part: "copy" | "copy-last") => readManifests(part)[0]?.spec.template;
  const text = JSON.stringify(podOf("copy")).replace(/"--shard[^"]*",/, "");
  expect(text.replaceAll('"copy"}', '"copy-last"}')).toBe(JSON.stringify(podOf("copy-last")));
});

test("the Service leads to the pods and the port of the Deployment", () => {
  const [deployment, service] = readManifests("serve");
  const labels = deployment?.spec.template?.metadata.labels;
  expect(deployment?.spec.selector?.matchLabels).toEqual(labels);
  expect(service?.spec.selector).toEqual(labels);
  const text = JSON.stringify(service?.spec);
  expect(text).toContain('"targetPort":"registry"');
  expect(JSON.stringify(deployment)).toContain('"name":"registry","containerPort":5000');
  expect(deployment?.spec.template?.spec.containers[0].args).toContain("--listen=0.0.0.0:5000");
});

test("each kustomization.yaml names the files of its folder, and the image in the version that the files are of", () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", MANIFESTS), "utf8"));
  for (const part of PARTS) {
    const { resources, images } = readKustomization(part);
    expect(["kustomization.yaml", ...resources].sort()).toEqual(readdirSync(new URL(part, MANIFESTS)).sort());
    expect(images).toEqual([{ name: "imgpack", newName: "registry.example:5000/imgpack", newTag: version }]);
  }
  expect(PODS.map(({ container }) => container.image)).toEqual(PODS.map(() => "imgpack"));
  expect(readdirSync(MANIFESTS).sort()).toEqual([...PARTS]);
});
