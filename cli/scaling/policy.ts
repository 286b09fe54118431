import { z } from 'zod';
import { json } from '../../client/message.js';
import { RolePoliciesResource } from '../../schemas/scaling/policies.js';
import { services } from '../services/service.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { inFile, readInput } from '../shell/files/input.js';
import { report, resolve, shown } from '../shell/resource.js';
import { policiesText, policyText } from './policy-text.js';

const Options = z.object({ until: z.string().optional(), file: z.string().optional() });
type Wish = { path: string; role: string; policy: string | undefined; options: z.output<typeof Options> };

/** What can be done with policies, by its word. */
const deeds: Readonly<Record<string, (context: Context, wish: Wish) => Promise<void>>> = {
  async list(context, { path }) {
    const { value, raw } = await context.client().get(path, RolePoliciesResource);
    shown(context, () => policiesText(value), raw);
  },

  async show(context, { path, role, policy }) {
    const { value, raw } = await context.client().get(path, RolePoliciesResource);
    const found = value.policies.find((one) => String(one.policy) === policy);
    if (policy !== undefined && !found)
      throw new Complaint('usage', `Role ${role} has no policy ${policy}.`, {
        next: 'See those that there are: arcus service policy list my_service web',
      });
    const all = found ? [found] : value.policies;
    shown(context, () => all.map((one) => policyText(value, one)).join('\n\n'), raw);
  },

  async pause(context, { path, role, policy, options: { until } }) {
    const at = `${path}/${numberOf(policy, 'pause')}/pause`;
    const { raw } = await context.client().send('POST', at, RolePoliciesResource, json({ ...(until && { until }) }));
    report(context, `policy ${policy} of role ${role} is paused${until ? ` until ${until}` : ''}.`, raw);
  },

  async resume(context, { path, role, policy }) {
    const at = `${path}/${numberOf(policy, 'resume')}/resume`;
    const { raw } = await context.client().send('POST', at, RolePoliciesResource);
    report(context, `policy ${policy} of role ${role} is resumed.`, raw);
  },

  async update(context, { path, role, options: { file } }) {
    if (file === undefined)
      throw new Complaint('usage', '--file: is needed: a file, or - for standard input.', {
        next: 'Such as: arcus service policy update my_service web -f policies.json, with {"elasticity_policies": [...]}',
      });
    const document = readInput(file);
    const { value, raw } = await context
      .client()
      .send('PUT', path, RolePoliciesResource, json(document.content))
      .catch(inFile(document));
    report(context, `role ${role} has ${value.policies.length} policies now.`, raw);
  },
};

/** `arcus service policy`. */
export const policyLeaf: Leaf = leaf({
  usage: 'policy <deed> <service> <role> [policy]',
  summary: 'List, show, pause, resume or update the elasticity policies of a role',
  examples: [
    'arcus service policy list my_service worker',
    'arcus service policy show my_service worker 0',
    'arcus service policy pause my_service worker 0 --until 2026-12-01T06:00:00Z',
    'arcus service policy resume my_service worker 0',
    'arcus service policy update my_service worker -f policies.json',
  ],
  options: [
    ['--until <time>', 'with pause: when it resumes by itself, as in 2026-12-01T06:00:00Z'],
    [
      '-f, --file <file>',
      'with update: JSON or YAML, {"elasticity_policies": [...]}: all that the role is to have; min_vms and max_vms, if they change; - for standard input',
    ],
  ],
  schema: Options,
  run: async (context, [deed = '', wish, role = '', policy], options) => {
    const act = Object.hasOwn(deeds, deed) ? deeds[deed] : undefined;
    if (!act)
      throw new Complaint('usage', `${JSON.stringify(deed)} is none of ${Object.keys(deeds).join(', ')}.`, {
        next: 'Such as: arcus service policy list my_service worker',
      });
    const id = await resolve(context.client(), services, wish);
    await act(context, {
      ...{ role, policy, options },
      path: `/services/${id}/roles/${encodeURIComponent(role)}/policies`,
    });
  },
});

function numberOf(policy: string | undefined, deed: string): string {
  if (policy !== undefined && /^\d+$/.test(policy)) return policy;
  throw new Complaint('usage', 'Say which policy, by its number.', {
    next: `Such as: arcus service policy ${deed} my_service worker 0. Their numbers: arcus service policy list my_service worker`,
  });
}
