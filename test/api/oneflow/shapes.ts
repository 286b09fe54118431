import { z } from 'zod';

// What OneFlow's clients decode answers into, as they declare it: a number where they have a text ends them, and the other way round.

const digits = z.string().regex(/^\d+$/);
const bit = z.enum(['0', '1']);

/** goca's shared.Permissions, whose integers are `,string`. */
const Permissions = z.object({
  ...{ OWNER_U: bit, OWNER_M: bit, OWNER_A: bit, GROUP_U: bit, GROUP_M: bit, GROUP_A: bit },
  ...{ OTHER_U: bit, OTHER_M: bit, OTHER_A: bit },
});

const Envelope = z.object({
  ...{ ID: digits, UID: digits, GID: digits, UNAME: z.string(), GNAME: z.string(), NAME: z.string() },
  PERMISSIONS: Permissions,
});

const ElasticityPolicy = z.object({
  type: z.string(),
  adjust: z.int(),
  min_adjust_step: z.int().optional(),
  expression: z.string(),
  period_number: z.int().optional(),
  period: z.int().optional(),
  true_evals: z.int().optional(),
  last_eval: z.int().optional(),
  cooldown: z.int().optional(),
});
const ScheduledPolicy = z.object({
  type: z.string(),
  adjust: z.int(),
  min_adjust_step: z.int().optional(),
  start_time: z.string().optional(),
  recurrence: z.string().optional(),
});

const Node = z.object({
  deploy_id: z.int(),
  vm_info: z.object({
    VM: z.object({ ID: digits, UID: digits, GID: digits, UNAME: z.string(), GNAME: z.string(), NAME: z.string() }),
  }),
});

/** What every release has of a role. */
const Role = z.looseObject({
  name: z.string(),
  cardinality: z.int(),
  shutdown_action: z.string().optional(),
  parents: z.array(z.string()).optional(),
  min_vms: z.int().optional(),
  max_vms: z.int().optional(),
  cooldown: z.int().optional(),
  elasticity_policies: z.array(ElasticityPolicy).optional(),
  scheduled_policies: z.array(ScheduledPolicy).optional(),
});
const FirstRole = Role.extend({ vm_template: z.int(), vm_template_contents: z.string().optional() });
const LaterRole = Role.extend({
  template_id: z.int(),
  template_contents: z.record(z.string(), z.unknown()).optional(),
  vm_template: z.never().optional(),
});

const ofService = { state: z.int(), nodes: z.array(Node) };
const Body = z.looseObject({
  name: z.string(),
  deployment: z.string(),
  description: z.string().optional(),
  ready_status_gate: z.boolean().optional(),
});
const Running = Body.extend({
  state: z.int(),
  log: z.array(z.object({ timestamp: z.int(), severity: z.enum(['I', 'E']), message: z.string() })),
});

const document = <T extends '100' | '101', B extends z.ZodType>(type: T, BODY: B) =>
  z.object({ DOCUMENT: Envelope.extend({ TYPE: z.literal(type), TEMPLATE: z.object({ BODY }) }) });

/** What `oneflow show` of 5.0.2 reads of a VM: without one of these it prints blanks. */
const ShownVm = z.object({
  ...{ ID: digits, NAME: z.string(), RESCHED: bit, STATE: digits, LCM_STATE: digits, CPU: digits, MEMORY: digits },
  ...{ STIME: digits, ETIME: digits },
  HISTORY_RECORDS: z.object({ HISTORY: z.object({ HOSTNAME: z.string() }).optional() }),
});
const FirstNode = Node.extend({
  vm_info: z.object({ VM: ShownVm }),
  running: z.boolean(),
  scale_up: z.literal('1').optional(),
  disposed: z.literal('1').optional(),
});

/** A service as 5.0 tells of it, and as 7.4 does; the same of a template. */
export const first = {
  service: document(
    '100',
    Running.extend({ roles: z.array(FirstRole.extend({ ...ofService, nodes: z.array(FirstNode) })) }),
  ),
  template: document('101', Body.extend({ roles: z.array(FirstRole) })),
};
/** Between them, 6.6: the first names, and no more of VMs than 7.4 tells. */
export const middle = {
  service: document('100', Running.extend({ roles: z.array(FirstRole.extend(ofService)), start_time: z.int() })),
  template: document('101', Body.extend({ roles: z.array(FirstRole), registration_time: z.int() })),
};
export const later = {
  service: document('100', Running.extend({ roles: z.array(LaterRole.extend(ofService)), start_time: z.int() })),
  template: document('101', Body.extend({ roles: z.array(LaterRole), registration_time: z.int() })),
};

/** A list of them: without DOCUMENT when there are none. */
export const poolOf = (one: { shape: { DOCUMENT: z.ZodType<{ ID: string }> } }) =>
  z.object({ DOCUMENT_POOL: z.object({ DOCUMENT: z.array(one.shape.DOCUMENT).min(1).optional() }) });
