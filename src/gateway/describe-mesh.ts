// What GET /status says of the mesh: this gateway's place in it, and how the others do.
import type { MeshSurface } from './mesh.ts';

export async function describeMesh(
  { members, overview }: MeshSurface,
  signal: AbortSignal,
): Promise<Record<string, unknown>> {
  const { self, hash } = members;
  const sight = await overview.look(signal);
  const { id, role, zone } = self;
  const trackers = members.trackers();
  return {
    self: { id, role, zone: zone ?? null },
    trackers: trackers.length,
    listHash: hash,
    members: sight.members.map((member) => ({ ...member, role: member.role ?? null, zone: member.zone ?? null })),
    unasked: sight.unasked,
  };
}
