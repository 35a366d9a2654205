// Preheats over this gateway's cache and its mesh; a gateway without a mesh is all there is to heat.
import type { Preheat } from '../admin/preheat-route.ts';
import { Preheater } from '../admin/preheater.ts';
import type { Config } from '../config.ts';
import type { MeshSight } from '../mesh/mesh-overview.ts';
import { warmAt } from '../mesh/preheat-call.ts';
import type { Objects } from '../objects/objects.ts';
import type { OpenedCache } from './object-cache.ts';

const PROGRESS_MS = 500;

export function preheatOver(config: Config, objects: Objects, { mesh, warm }: OpenedCache): Preheat {
  const { role, zone } = config.mesh;
  const self = mesh?.members.self ?? { id: 'this gateway', role, zone };
  const alone: MeshSight = { members: [{ ...self, listed: true, answers: true }], unasked: 0 };
  const preheater = new Preheater(
    {
      objects,
      look: (signal) => mesh?.overview.look(signal) ?? Promise.resolve(alone),
      warmAt: (gateway) =>
        mesh === undefined || gateway === self.id
          ? warm
          : (bucket, keys, signal) => warmAt(mesh.client, gateway, bucket, keys, signal),
      now: () => performance.now(),
    },
    { atOnce: config.admin.membersAtOnce, progressMs: PROGRESS_MS },
  );
  return (request, signal) => preheater.run(request, signal);
}
