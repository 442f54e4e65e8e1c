import * as z from 'zod';
import { describeThrown, WardenError } from '../errors/warden-error.ts';
import { manifestSchema, type Manifest } from './schema.ts';

/** No manifest that we write comes near it; a larger one is not ours and is not parsed. */
export const manifestMaxBytes = 256 * 1024;

export function encodeManifest(manifest: Manifest): Uint8Array {
  const bytes = new TextEncoder().encode(`${JSON.stringify(manifestSchema.parse(manifest), undefined, 2)}\n`);
  if (bytes.length > manifestMaxBytes) {
    throw new WardenError('internal', `the manifest has ${bytes.length} bytes, more than ${manifestMaxBytes}`);
  }
  return bytes;
}

/**
 * Reads a manifest that came from a store, strictly.
 * @param place what the object's key says; a manifest that says otherwise was moved or forged
 */
export function decodeManifest(bytes: Uint8Array, place: ManifestPlace): Manifest {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch (error) {
    throw invalid(place, `it is not JSON (${describeThrown(error)})`, error);
  }
  refuseNewer(value, place);
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) throw invalid(place, describeIssues(parsed.error), parsed.error);
  const manifest = parsed.data;
  const found = `${manifest.cluster.name}/${manifest.cluster.lineage}/${manifest.id}`;
  const expected = `${place.cluster}/${place.lineage}/${place.id}`;
  if (found !== expected) throw invalid(place, `it says that it belongs to ${found}`);
  return manifest;
}

export interface ManifestPlace {
  readonly cluster: string;
  readonly lineage: string;
  readonly id: string;
}

/** A format of the future is no damage: it must not be counted as such. */
function refuseNewer(value: unknown, place: ManifestPlace): void {
  const header = z.object({ format: z.literal('etcd-warden-manifest'), version: z.int().min(2) }).safeParse(value);
  if (!header.success) return;
  throw new WardenError(
    'manifest-unsupported',
    `the manifest of ${place.id} has format version ${header.data.version}, this etcd-warden reads version 1`,
    { details: { id: place.id } },
  );
}

function invalid(place: ManifestPlace, reason: string, cause?: unknown): WardenError {
  return new WardenError('manifest-invalid', `the manifest of ${place.id} is not valid: ${reason}`, {
    details: { id: place.id },
    cause,
  });
}

function describeIssues(error: z.ZodError): string {
  const first = error.issues.slice(0, 3).map((issue) => `${issue.path.join('.') || 'manifest'}: ${issue.message}`);
  const more = error.issues.length - first.length;
  return first.join('; ') + (more > 0 ? `; and ${more} more` : '');
}
