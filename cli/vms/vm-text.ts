import type { z } from 'zod';
import { metricNames } from '../../schemas/hosts/metrics.js';
import type { VmResource } from '../../schemas/vms/vm.js';
import { permissionsText } from '../identity/ownership.js';
import { pairs, tableOf } from '../shell/output.js';
import { attributesText } from './vm-template.js';

type Vm = z.infer<typeof VmResource>;

/** A VM as `show` shows it. */
export const vmText = (vm: Vm): string =>
  [
    `VIRTUAL MACHINE ${vm.id} INFORMATION`,
    pairs([
      ['ID', String(vm.id)],
      ['NAME', vm.name],
      ['USER', vm.uname],
      ['GROUP', vm.gname],
      ['STATE', vm.state],
      ['LCM_STATE', vm.lcm_state],
      ['REASON', vm.reason],
      ['READY', vm.ready ? 'yes' : 'no'],
      ['HOST', vm.host ? `${vm.host.id} (${vm.host.name})` : '-'],
      ['SERVICE', vm.service_id === null ? null : `${vm.service_id}, role ${vm.role_name}`],
      ['VM TEMPLATE', vm.template_id === null ? '- (imported)' : String(vm.template_id)],
      ['CPU', String(vm.cpu)],
      ['MEMORY', `${vm.memory}M`],
      ['OPERATION', vm.operation],
      ['CREATED', vm.created_at],
      ['ENDED', vm.ended_at],
    ]),
    ...(vm.debugging ? ['', 'ACTIONS OF WHAT FAILED', debuggingText(vm.debugging)] : []),
    ...(vm.nics.length > 0 ? ['', 'NICS', nicsText(vm.nics)] : []),
    ...(vm.disks.length > 0 ? ['', 'DISKS', disksText(vm.disks)] : []),
    ...(vm.monitoring ? ['', 'MONITORING', monitoringText(vm.monitoring)] : []),
    '',
    permissionsText(vm),
    ...(vm.history.length > 0 ? ['', 'PLACEMENT HISTORY', historyText(vm.history)] : []),
    ...(vm.snapshots.length > 0 ? ['', 'SNAPSHOTS', keptText(vm.snapshots)] : []),
    ...section('USER TEMPLATE', vm.user_template),
    ...section('TEMPLATE', vm.template),
  ].join('\n');

/** `show`: what failed, action by action. */
const debuggingText = ({ current, leads_to, actions }: NonNullable<Vm['debugging']>): string =>
  [
    tableOf(
      [
        { title: '', text: ({ number }) => (number === current ? '>' : '') },
        { title: 'ID', text: ({ number }) => String(number), right: true },
        { title: 'ACTION', text: ({ action }) => action },
        { title: 'STATE', text: ({ state }) => state },
        { title: 'ERROR', text: ({ error }) => error ?? '-' },
      ],
      actions,
    ),
    ...(current === null ? [`No action is left: recover with success leads to ${leads_to}.`] : []),
  ].join('\n');

const nicsText = (nics: Vm['nics']): string =>
  tableOf(
    [
      { title: 'ID', text: ({ nic_id }) => String(nic_id), right: true },
      { title: 'NETWORK', text: ({ network }) => network ?? '-' },
      { title: 'IP', text: ({ ip, ip6_global, ip6_ula }) => ip ?? ip6_global ?? ip6_ula ?? '-' },
      { title: 'MAC', text: ({ mac }) => mac },
      { title: 'MODEL', text: ({ model }) => model ?? '-' },
    ],
    nics,
  );

/** `0 first, 1 second*`: the one that is written after has a star. */
const snapshotsText = (snapshots: Vm['disks'][number]['snapshots']): string =>
  snapshots.map(({ snapshot_id, name, active }) => `${snapshot_id} ${name}${active ? '*' : ''}`).join(', ') || '-';

/** `file, persistent`: what is written stays in its image. */
const diskType = ({ type, persistent, readonly }: Vm['disks'][number]): string =>
  [type, ...(persistent ? ['persistent'] : []), ...(readonly && type !== 'cdrom' ? ['read-only'] : [])].join(', ');

const disksText = (disks: Vm['disks']): string =>
  tableOf(
    [
      { title: 'ID', text: ({ disk_id }) => String(disk_id), right: true },
      { title: 'TARGET', text: ({ target }) => target },
      { title: 'IMAGE', text: ({ image }) => (image ? `${image.id} (${image.name})` : '-') },
      { title: 'TYPE', text: diskType },
      { title: 'SIZE', text: ({ size }) => `${size}M`, right: true },
      { title: 'FORMAT', text: ({ format }) => format },
      { title: 'SNAPSHOTS', text: ({ snapshots }) => snapshotsText(snapshots) },
    ],
    disks,
  );

/** In OpenNebula's units. */
const monitoringText = (monitoring: NonNullable<Vm['monitoring']>): string =>
  pairs([
    ['TIME', monitoring.time],
    ...metricNames.map((name): [string, string] => [name.toUpperCase(), String(monitoring[name])]),
  ]);

const historyText = (history: Vm['history']): string =>
  tableOf(
    [
      { title: 'SEQ', text: ({ seq }) => String(seq), right: true },
      { title: 'HOST', text: ({ host_id, hostname }) => `${host_id} (${hostname})` },
      { title: 'FROM', text: ({ started_at }) => started_at },
      { title: 'UNTIL', text: ({ ended_at }) => ended_at ?? '-' },
      { title: 'REASON', text: ({ reason }) => reason },
    ],
    history,
  );

const keptText = (snapshots: Vm['snapshots']): string =>
  tableOf(
    [
      { title: 'ID', text: ({ id }) => String(id), right: true },
      { title: 'TIME', text: ({ time }) => time },
      { title: 'NAME', text: ({ name }) => name },
      { title: 'ACTIVE', text: ({ active }) => (active ? 'yes' : 'no') },
    ],
    snapshots,
  );

const section = (title: string, attributes: Record<string, unknown>): string[] =>
  Object.keys(attributes).length > 0 ? ['', title, attributesText(attributes)] : [];
