// A complete client of the gateway: signs a bundle, uploads its material, submits, checks the receipt.
//
//   node client.mjs --target HOST:PORT --profile pki/agency/ps-110108 --record transfer.xml \
//     --case-number A1101080000002024060012 --receiver pr:110108 --key PS-2024-0012-01 --material D01=page.pdf

import { X509Certificate, createHash, createPrivateKey, randomBytes, sign, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import grpc from "@grpc/grpc-js";
import protoLoader from "@grpc/proto-loader";

const { values: options } = parseArgs({
  options: {
    target: { type: "string" },
    profile: { type: "string" },
    record: { type: "string" },
    "case-number": { type: "string" },
    receiver: { type: "string" },
    key: { type: "string" },
    material: { type: "string" },
    protos: { type: "string", default: fileURLToPath(new URL("../../protos", import.meta.url)) },
  },
});

const base64url = (data) => Buffer.from(data).toString("base64url");
const digest = (name, data) => createHash(name).update(data).digest("hex");
const sha256 = (data) => createHash("sha256").update(data).digest();

// 1. The files of the agency: TLS certificate and key, signing certificate and key, and the two CAs that it trusts.
const file = (...parts) => readFileSync(join(options.profile, ...parts));
const credentials = grpc.credentials.createSsl(file("../../tls-ca.crt"), file("tls.key"), file("tls.crt"));
const signingCertificate = new X509Certificate(file("sign.crt"));
const signingKey = createPrivateKey(file("sign.key"));
const signingCa = new X509Certificate(file("../../signing-ca.crt"));

// 2. The services, from the same .proto files that the gateway is built from.
const definition = protoLoader.loadSync(
  ["gateway/v1/exchange.proto", "gateway/v1/material.proto"],
  { includeDirs: [options.protos], keepCase: true, longs: Number, enums: String, defaults: true },
);
const { gateway } = grpc.loadPackageDefinition(definition);
const exchange = new gateway.v1.ExchangeService(options.target, credentials);
const materials = new gateway.v1.MaterialService(options.target, credentials);
const call = (client, method, request) =>
  new Promise((resolve, reject) => {
    const deadline = new Date(Date.now() + 30_000);
    client[method](request, { deadline }, (error, answer) => (error ? reject(error) : resolve(answer)));
  });

// 3. The material: sent only if the gateway does not have it, from the offset where an earlier upload broke.
async function upload(data) {
  const hash = digest("sha256", data);
  const { missing } = await call(materials, "FindMissing", { sha256: [hash] });
  if (missing.length === 0) return;
  const offset = missing[0].received_bytes;
  await new Promise((resolve, reject) => {
    const stream = materials.Upload((error, answer) => (error ? reject(error) : resolve(answer)));
    stream.write({ header: { sha256: hash, size: data.length, offset } });
    for (let at = offset; at < data.length; at += 262_144) stream.write({ chunk: data.subarray(at, at + 262_144) });
    stream.end();
  });
}

// 4. A UUIDv7: 48 bits of milliseconds, the rest random, with version and variant set (RFC 9562, section 5.7).
function uuid7() {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// 5. The manifest, and its signature: BASE64URL(header) . BASE64URL(payload) . BASE64URL(signature).
function signManifest(manifest) {
  const header = {
    typ: "fasttrack-bundle+jws",
    alg: "EdDSA",
    x5c: [signingCertificate.raw.toString("base64")],
    "x5t#S256": base64url(sha256(signingCertificate.raw)),
  };
  const input = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(manifest))}`;
  return `${input}.${base64url(sign(null, Buffer.from(input), signingKey))}`;
}

// Whether a path leads from the leaf at a place of a tree to its root (RFC 9162, section 2.1.3.2).
function leadsToRoot(leafHash, place, size, path, root) {
  let [hash, last] = [leafHash, size - 1];
  if (place < 0 || place > last || path.length % 32 !== 0) return false;
  for (let at = 0; at < path.length; at += 32) {
    if (last === 0) return false;
    const neighbour = path.subarray(at, at + 32);
    const isRight = place % 2 === 1 || place === last;
    hash = sha256(Buffer.concat([Buffer.from([1]), ...(isRight ? [neighbour, hash] : [hash, neighbour])]));
    if (isRight) while (place % 2 === 0 && place !== 0) [place, last] = [place >> 1, last >> 1];
    [place, last] = [place >> 1, last >> 1];
  }
  return last === 0 && hash.toString("hex") === root;
}

// 6. The receipt: signed by the gateway, for this leaf, and the leaf is about this bundle.
function checkReceipt(receipt, bundleId, manifestJws) {
  const require = (isMet, what) => {
    if (!isMet) throw new Error(`the receipt does not verify: ${what}`);
  };
  const [jws, path64] = receipt.jws.split("~");
  const [header64, payload64, signature64] = jws.split(".");
  const header = JSON.parse(Buffer.from(header64, "base64url"));
  const claims = JSON.parse(Buffer.from(payload64, "base64url"));
  const certificate = new X509Certificate(Buffer.from(header.x5c[0], "base64"));
  const now = new Date();
  require(header.typ === "fasttrack-receipt+jws" && header.alg === "EdDSA" && !("crit" in header), "header");
  require(header["x5t#S256"] === base64url(sha256(certificate.raw)), "thumbprint");
  require(certificate.checkIssued(signingCa) && certificate.verify(signingCa.publicKey), "chain");
  require(new Date(certificate.validFrom) <= now && now <= new Date(certificate.validTo), "validity");
  require(certificate.subjectAltName === "URI:urn:fasttrack:gateway", "name");
  require(certificate.publicKey.asymmetricKeyType === "ed25519", "key");
  const signed = Buffer.from(`${header64}.${payload64}`);
  require(verify(null, signed, certificate.publicKey, Buffer.from(signature64, "base64url")), "signature");
  const leafHash = digest("sha256", Buffer.concat([Buffer.from([0]), receipt.leaf]));
  require(receipt.leaf_hash.toString("hex") === leafHash, "leaf hash");
  const leaf = JSON.parse(receipt.leaf);
  require(leaf.index === receipt.entry_index, "index");
  const [place, size] = [leaf.index - claims.first_index, claims.tree_size - claims.first_index];
  const path = Buffer.from(path64, "base64url");
  require(leadsToRoot(Buffer.from(leafHash, "hex"), place, size, path, claims.batch_root), "path");
  require(leaf.kind === "submitted" && leaf.handoff === bundleId, "act");
  require(leaf.bundle_sha256 === digest("sha256", manifestJws), "bundle");
  return claims;
}

const record = readFileSync(options.record);
const [documentCode, materialPath] = options.material.split("=");
const material = readFileSync(materialPath);
const bundleId = uuid7();
const manifest = {
  bundle_id: bundleId,
  sender: "ps:110108",
  receiver: options.receiver,
  kind: "TRANSFER",
  case_number: options["case-number"],
  idempotency_key: options.key,
  created_at: new Date().toISOString(),
  native_record: {
    schema: "police",
    version: "3.2",
    encoding: "GB18030",
    size: record.length,
    sha256: digest("sha256", record),
    sm3: digest("sm3", record),
  },
  materials: [
    {
      id: "m1",
      document_code: documentCode,
      title: basename(materialPath),
      media_type: "application/pdf",
      size: material.length,
      sha256: digest("sha256", material),
      sm3: digest("sm3", material),
    },
  ],
};

try {
  await upload(material);
  const manifestJws = signManifest(manifest);
  const answer = await call(exchange, "Submit", { manifest_jws: manifestJws, record });
  const claims = checkReceipt(answer.receipt, bundleId, manifestJws);
  console.log(
    JSON.stringify({
      handoff: bundleId,
      pair_number: answer.pair_number,
      entry_index: answer.receipt.entry_index,
      tree_size: claims.tree_size,
      root_hash: claims.root_hash,
      receipt_verified: true,
    }),
  );
} catch (error) {
  // The findings of a refusal are in error.metadata ("grpc-status-details-bin"); error.details names the first.
  console.error(error.details ?? error.message);
  process.exitCode = 1;
} finally {
  exchange.close();
  materials.close();
}
