import type { VmLcmState, VmResource, VmState } from '../../schemas/vms/vm.js';
import type { VmLogResource } from '../../schemas/vms/vm-log.js';
import { fact, momentText, row, sizeText, templateText, timeText } from './columns.js';
import { permissionsOf } from './one-program.js';

// `onevm` of OpenNebula 5.0.

const shortStates: { readonly [S in VmState]: string } = {
  PENDING: 'pend',
  HOLD: 'hold',
  ACTIVE: 'actv',
  SUSPENDED: 'susp',
  DONE: 'done',
  POWEROFF: 'poff',
  UNDEPLOYED: 'unde',
  STOPPED: 'stop',
};

/** By how the name of a life-cycle state begins; what has failed is called so, whatever it was at. */
const shortLcmStates: readonly (readonly [begins: string, short: string])[] = [
  ['PROLOG_MIGRATE', 'migr'],
  ['HOTPLUG', 'hotp'],
  ['DISK_SNAPSHOT', 'snap'],
  ['DISK_RESIZE', 'drsz'],
  ['PROLOG', 'prol'],
  ['BOOT', 'boot'],
  ['RUNNING', 'runn'],
  ['HOTPLUG_SNAPSHOT', 'snap'],
  ['MIGRATE', 'migr'],
  ['SAVE', 'save'],
  ['SHUTDOWN', 'shut'],
  ['EPILOG', 'epil'],
  ['UNKNOWN', 'unkn'],
];

function shortState({ state, lcm_state }: { state: VmState; lcm_state: VmLcmState }): string {
  if (state !== 'ACTIVE') return shortStates[state];
  if (lcm_state.endsWith('_FAILURE')) return 'fail';
  return shortLcmStates.find(([begins]) => lcm_state.startsWith(begins))?.[1] ?? 'init';
}

const age = ({ created_at, ended_at }: VmResource, now: Date): number =>
  ((ended_at === null ? now : new Date(ended_at)).getTime() - new Date(created_at).getTime()) / 1_000;

/** `onevm list`. What a VM uses is nothing while nobody has heard of it. */
export const vmList = (all: readonly VmResource[], now: Date): string =>
  [
    row(
      ...([
        ['ID', -6],
        ['USER', 8],
        ['GROUP', 8],
        ['NAME', 15],
        ['STAT', 4],
        ['UCPU', -4],
        ['UMEM', -7],
      ] as const),
      ...([
        ['HOST', 10],
        ['TIME', -10],
      ] as const),
    ),
    ...all.map((vm) =>
      row(
        [String(vm.id), -6],
        [vm.uname, 8],
        [vm.gname, 8],
        [vm.name, 15],
        [shortState(vm), 4],
        [String(Math.round(vm.monitoring?.cpu ?? 0)), -4],
        [sizeText(vm.monitoring?.memory ?? 0), -7],
        [vm.host?.name ?? '', 10],
        [timeText(age(vm, now)), -10],
      ),
    ),
  ].join('\n');

const seconds = (from: string, until: string | null, now: Date): number =>
  ((until === null ? now : new Date(until)).getTime() - Date.parse(from)) / 1_000;

/** `0h00m12s` */
const prologText = (lasted: number): string => {
  const [hours, minutes] = [Math.floor(lasted / 3_600), Math.floor(lasted / 60) % 60];
  return `${hours}h${String(minutes).padStart(2, '0')}m${String(Math.floor(lasted % 60)).padStart(2, '0')}s`;
};

const moment = (time: string | null): string => (time === null ? '-' : momentText(new Date(time)));

/** `11/15 14:15`, as OpenNebula’s table of snapshots has it. */
const shortMoment = (time: string): string => moment(time).slice(0, 11);

/** `onevm show`. */
export function vmText(vm: VmResource, history: VmLogResource['history'], now: Date): string {
  const { monitoring, user_template, template } = vm;
  const facts = (pairs: readonly (readonly [string, string | number | undefined])[]): string[] =>
    pairs.flatMap(([name, value]) => fact(name, value));
  return [
    `VIRTUAL MACHINE ${vm.id} INFORMATION`,
    ...facts([
      ['ID', vm.id],
      ['NAME', vm.name],
      ['USER', vm.uname],
      ['GROUP', vm.gname],
      ['STATE', vm.state],
      ['LCM_STATE', vm.lcm_state],
      ['RESCHED', vm.resched ? 'Yes' : 'No'],
      ['HOST', vm.host?.name],
      ['START TIME', moment(vm.created_at)],
      ['END TIME', moment(vm.ended_at)],
      ['REASON', vm.reason ?? undefined],
    ]),
    ...(monitoring
      ? [
          '',
          'VIRTUAL MACHINE MONITORING',
          ...facts([
            ['CPU', monitoring.cpu],
            ['MEMORY', sizeText(monitoring.memory)],
            ['NETTX', sizeText(Math.round(monitoring.nettx / 1_024))],
            ['NETRX', sizeText(Math.round(monitoring.netrx / 1_024))],
            ['DISKRDBYTES', monitoring.diskrdbytes],
            ['DISKRDIOPS', monitoring.diskrdiops],
            ['DISKWRBYTES', monitoring.diskwrbytes],
            ['DISKWRIOPS', monitoring.diskwriops],
          ]),
        ]
      : []),
    '',
    ...permissionsOf(vm.permissions),
    ...(vm.disks.length > 0
      ? [
          '',
          'VM DISKS',
          row(['ID', -3], ['DATASTORE', 10], ['TARGET', 6], ['IMAGE', 35], ['SIZE', -8], ['TYPE', 5], ['SAVE', 4]),
          ...vm.disks.map(({ disk_id, target, size, type, format, image, persistent }) =>
            row(
              [String(disk_id), -3],
              [image ? `${image.datastore_id}` : '-', 10],
              [target, 6],
              [image?.name ?? `${format} - ${type}`, 35],
              [sizeText(size * 1_024), -8],
              [type, 5],
              [persistent ? 'YES' : 'NO', 4],
            ),
          ),
        ]
      : []),
    ...(vm.nics.length > 0
      ? [
          '',
          'VM NICS',
          row(['ID', -3], ['NETWORK', 20], ['MAC', 17]),
          ...vm.nics.map(({ nic_id, network, mac }) => row([String(nic_id), -3], [network ?? '-', 20], [mac, 17])),
        ]
      : []),
    ...(history.length > 0
      ? [
          '',
          'VIRTUAL MACHINE HISTORY',
          row(['SEQ', -3], ['HOST', 15], ['ACTION', 14], ['DS', -4], ['START', -15], ['TIME', -11], ['PROLOG', -10]),
          ...history.map(({ seq, hostname, action, started_at, ended_at, prolog }) =>
            row(
              [String(seq), -3],
              [hostname, 15],
              [action ?? 'none', 14],
              // There are no datastores yet.
              ['-', -4],
              [momentText(new Date(started_at)), -15],
              [timeText(seconds(started_at, ended_at, now)), -11],
              [prologText(prolog ? seconds(prolog.from, prolog.until, now) : 0), -10],
            ),
          ),
        ]
      : []),
    ...(vm.snapshots.length > 0
      ? [
          '',
          'SNAPSHOTS',
          row(['ID', -4], ['TIME', -12], ['NAME', 46], ['HYPERVISOR_ID', 15]),
          ...vm.snapshots.map(({ id, time, name }) =>
            row([String(id), -4], [shortMoment(time), -12], [name, 46], [`snap-${id}`, 15]),
          ),
        ]
      : []),
    ...diskSnapshots(vm.disks),
    ...section('USER TEMPLATE', user_template),
    ...section('VIRTUAL MACHINE TEMPLATE', template),
  ].join('\n');
}

/** Beside that which a disk is written after OpenNebula draws an arrow; nobody says how large they are. */
function diskSnapshots(disks: VmResource['disks']): string[] {
  const rows = disks.flatMap(({ disk_id, snapshots }) =>
    snapshots.map(({ snapshot_id, name, parent, active, taken_at }) =>
      row(
        ...([
          [active ? '=>' : '', -3],
          [String(snapshot_id), -3],
          [String(disk_id), -4],
          [parent === null ? '-1' : String(parent), -6],
        ] as const),
        ...([
          [shortMoment(taken_at), -12],
          ['-', -8],
          [name, 37],
        ] as const),
      ),
    ),
  );
  if (rows.length === 0) return [];
  const titles = row(
    ...([
      ['AC', -3],
      ['ID', -3],
      ['DISK', -4],
      ['PARENT', -6],
    ] as const),
    ...([
      ['DATE', -12],
      ['SIZE', -8],
      ['NAME', 37],
    ] as const),
  );
  return ['', 'VM DISK SNAPSHOTS', titles, ...rows];
}

const section = (title: string, attributes: Readonly<Record<string, unknown>>): string[] =>
  Object.keys(attributes).length > 0 ? ['', title, ...templateText(attributes)] : [];
