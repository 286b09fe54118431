import { z } from 'zod';
import { fact, row, sizeText, timeText } from '../opennebula/columns.js';

// What `oneflow` of OpenNebula 5.0 prints, column by column: scripts cut it apart.

const Digits = z.string();
const Policy = z.looseObject({
  // One with a target has neither: how far it goes is what it works out.
  type: z.string().optional(),
  adjust: z.int().optional(),
  action: z.string().optional(),
  target: z.string().optional(),
  min_adjust_step: z.int().optional(),
  expression: z.string().optional(),
  expression_evaluated: z.string().optional(),
  true_evals: z.int().optional(),
  period_number: z.int().optional(),
  period: z.int().optional(),
  cooldown: z.int().optional(),
  recurrence: z.string().optional(),
  start_time: z.union([z.string(), z.number()]).optional(),
});
type Policy = z.infer<typeof Policy>;

const Node = z.object({
  vm_info: z.object({
    VM: z.object({
      ...{ ID: Digits, NAME: z.string(), STATE: Digits, LCM_STATE: Digits, CPU: Digits, MEMORY: Digits },
      ...{ STIME: Digits, ETIME: Digits },
      HISTORY_RECORDS: z.object({ HISTORY: z.object({ HOSTNAME: z.string() }).optional() }),
    }),
  }),
  scale_up: z.string().optional(),
  disposed: z.string().optional(),
});
type Node = z.infer<typeof Node>;

const Role = z.looseObject({
  name: z.string(),
  state: z.int().optional(),
  cardinality: z.int(),
  parents: z.array(z.string()).default([]),
  vm_template: z.int(),
  min_vms: z.int().optional(),
  max_vms: z.int().optional(),
  cooldown: z.int().optional(),
  shutdown_action: z.string().optional(),
  nodes: z.array(Node).default([]),
  elasticity_policies: z.array(Policy).default([]),
  scheduled_policies: z.array(Policy).default([]),
});

const Bits = z.record(z.string(), z.string());
export const Document = z.object({
  ...{ ID: Digits, UNAME: z.string(), GNAME: z.string(), NAME: z.string(), PERMISSIONS: Bits },
  TEMPLATE: z.object({
    BODY: z.looseObject({
      deployment: z.string().optional(),
      shutdown_action: z.string().optional(),
      state: z.int().optional(),
      roles: z.array(Role).default([]),
      log: z.array(z.object({ timestamp: z.int(), severity: z.string(), message: z.string() })).default([]),
    }),
  }),
});
type Document = z.infer<typeof Document>;

/** In the order of their numbers. */
const states = [
  ...['PENDING', 'DEPLOYING', 'RUNNING', 'UNDEPLOYING', 'WARNING', 'DONE', 'FAILED_UNDEPLOYING', 'FAILED_DEPLOYING'],
  ...['SCALING', 'FAILED_SCALING', 'COOLDOWN'],
];
const heldStates: Readonly<Record<number, string>> = { 11: 'HOLD', 15: 'HOLD' };
const stateOf = (state: number | undefined): string => states[state ?? 0] ?? heldStates[state ?? 0] ?? String(state);

/** `oneflow list`. */
export const serviceList = (all: readonly Document[]): string =>
  [
    row(['ID', -10], ['USER', 15], ['GROUP', 15], ['NAME', 25], ['STATE', 18]),
    ...all.map(({ ID, UNAME, GNAME, NAME, TEMPLATE }) =>
      row([ID, -10], [UNAME, 15], [GNAME, 15], [NAME, 25], [stateOf(TEMPLATE.BODY.state), 18]),
    ),
  ].join('\n');

/** `oneflow-template list`. */
export const templateList = (all: readonly Document[]): string =>
  [
    row(['ID', -10], ['USER', 15], ['GROUP', 15], ['NAME', 37]),
    ...all.map(({ ID, UNAME, GNAME, NAME }) => row([ID, -10], [UNAME, 15], [GNAME, 15], [NAME, 37])),
  ].join('\n');

function permissionsText(bits: Document['PERMISSIONS']): string[] {
  const mask = (of: string): string =>
    ['U', 'M', 'A'].map((right) => (bits[`${of}_${right}`] === '1' ? right.toLowerCase() : '-')).join('');
  return ['PERMISSIONS', ...['OWNER', 'GROUP', 'OTHER'].flatMap((of) => fact(of, mask(of)))];
}

/** `oneflow-template show`. */
export const templateText = (document: Document, body: unknown): string =>
  [
    `SERVICE TEMPLATE ${document.ID} INFORMATION`,
    ...fact('ID', document.ID),
    ...fact('NAME', document.NAME),
    ...fact('USER', document.UNAME),
    ...fact('GROUP', document.GNAME),
    '',
    ...permissionsText(document.PERMISSIONS),
    '',
    'TEMPLATE CONTENTS',
    JSON.stringify(body, null, 2),
  ].join('\n');

/** `oneflow show`. */
export function serviceText(document: Document, now: Date): string {
  const { deployment, shutdown_action, state, roles, log } = document.TEMPLATE.BODY;
  return [
    `SERVICE ${document.ID} INFORMATION`,
    ...fact('ID', document.ID),
    ...fact('NAME', document.NAME),
    ...fact('USER', document.UNAME),
    ...fact('GROUP', document.GNAME),
    ...fact('STRATEGY', deployment),
    ...fact('SERVICE STATE', stateOf(state)),
    ...fact('SHUTDOWN', shutdown_action),
    '',
    ...permissionsText(document.PERMISSIONS),
    ...roles.flatMap((role) => ['', ...roleText(role, now)]),
    '',
    'LOG MESSAGES',
    ...log.map(({ timestamp, severity, message }) => `${dateOf(timestamp)} [${severity}] ${message}`),
  ].join('\n');
}

/** `06/10/13 18:22`, in UTC. */
function dateOf(seconds: number): string {
  const [year = '', month = '', day = '', time = ''] = new Date(seconds * 1_000).toISOString().split(/[-T]/);
  return `${month}/${day}/${year.slice(2)} ${time.slice(0, 5)}`;
}

function roleText(role: z.infer<typeof Role>, now: Date): string[] {
  const { elasticity_policies: elasticity, scheduled_policies: scheduled } = role;
  return [
    `ROLE ${role.name}`,
    ...fact('ROLE STATE', stateOf(role.state)),
    ...fact('PARENTS', role.parents.join(', ')),
    ...fact('CARDINALITY', role.cardinality),
    ...fact('VM TEMPLATE', role.vm_template),
    ...fact('COOLDOWN', role.cooldown === undefined ? undefined : `${role.cooldown}s`),
    ...fact('SHUTDOWN', role.shutdown_action),
    'NODES INFORMATION',
    row(['VM_ID', -6], ['NAME', 23], ['STAT', 4], ['UCPU', -4], ['UMEM', -7], ['HOST', 20], ['TIME', 10]),
    ...role.nodes.map((node) => nodeText(node, now)),
    ...(elasticity.length + scheduled.length > 0 || role.min_vms !== undefined
      ? ['', 'ELASTICITY RULES', ...fact('MIN VMS', role.min_vms), ...fact('MAX VMS', role.max_vms)]
      : []),
    ...(elasticity.length > 0
      ? [
          '',
          row(['ADJUST', 12], ['EXPRESSION', 48], ['EVALS', 5], ['PERIOD', 6], ['COOL', 5]),
          ...elasticity.map(elasticityText),
        ]
      : []),
    ...(scheduled.length > 0
      ? [
          '',
          row(['ADJUST', 12], ['TIME', 67]),
          ...scheduled.map((policy) =>
            row([adjustText(policy), 12], [String(policy.recurrence ?? policy.start_time ?? ''), 67]),
          ),
        ]
      : []),
  ];
}

/** `+ 2`, `= 6`, `- 10 % (2)`. */
function adjustText({ action, type, adjust, min_adjust_step: step }: Policy): string {
  if (action !== undefined) return action;
  if (adjust === undefined) return 'to target';
  if (type === 'CARDINALITY') return `= ${adjust}`;
  const sign = adjust < 0 ? '-' : '+';
  const per = type === 'PERCENTAGE_CHANGE' ? ` %${step === undefined ? '' : ` (${step})`}` : '';
  return `${sign} ${Math.abs(adjust)}${per}`;
}

const elasticityText = (policy: Policy): string =>
  row(
    [adjustText(policy), 12],
    [policy.expression_evaluated ?? policy.expression ?? policy.target ?? '', 48],
    [policy.period_number === undefined ? '-' : `${policy.true_evals ?? 0}/${policy.period_number}`, 5],
    [policy.period === undefined ? '-' : `${policy.period}s`, 6],
    [policy.cooldown === undefined ? '-' : `${policy.cooldown}s`, 5],
  );

const vmStates: Readonly<Record<string, string>> = {
  0: 'init',
  1: 'pend',
  2: 'hold',
  4: 'stop',
  5: 'susp',
  6: 'done',
  8: 'poff',
  9: 'unde',
};
const lcmStates: Readonly<Record<string, string>> = {
  1: 'prol',
  2: 'boot',
  3: 'runn',
  11: 'epil',
  12: 'shut',
  16: 'unkn',
};

/** An arrow stands before VMs that come (↑) and go (↓). */
function nodeText({ vm_info: { VM }, scale_up, disposed }: Node, now: Date): string {
  const state = VM.STATE === '3' ? (lcmStates[VM.LCM_STATE] ?? 'fail') : (vmStates[VM.STATE] ?? VM.STATE);
  const arrow = scale_up === undefined ? (disposed === undefined ? '' : '↓ ') : '↑ ';
  return row(
    [`${arrow}${VM.ID}`, -6],
    [VM.NAME, 23],
    [state, 4],
    [VM.CPU, -4],
    [sizeText(Number(VM.MEMORY)), -7],
    [VM.HISTORY_RECORDS.HISTORY?.HOSTNAME ?? '', 20],
    [timeText((VM.ETIME === '0' ? now.getTime() / 1_000 : Number(VM.ETIME)) - Number(VM.STIME)), 10],
  );
}
