import { json } from '../../client/message.js';
import { type VmSwitch, VmSwitch as VmSwitches } from '../../schemas/operations/vm-action.js';
import { RecoverAction, VmResource } from '../../schemas/vms/vm.js';
import { VmLogResource } from '../../schemas/vms/vm-log.js';
import { ScheduledVmAction, VmSchedulesResource } from '../../schemas/vms/vm-schedules.js';
import { hosts } from '../hosts/host.js';
import { startOperation } from '../operations/start-operation.js';
import { Complaint } from '../shell/complaint.js';
import { resolve } from '../shell/resource.js';
import { debugSession } from '../vms/debug-session.js';
import { vms } from '../vms/vm.js';
import { deviceId, devicePath, diskBody, diskMegabytes, networkWord, savedAs } from '../vms/vm-devices.js';
import { configure, resize } from '../vms/vm-shaping.js';
import { snapshotIn } from '../vms/vm-snapshots.js';
import { renameVerb, updateVerb } from './edit-verbs.js';
import { type Given, type One, ownershipVerbs, showVerb, toEach, type Verb } from './one-program.js';
import { listVerbs } from './top-verb.js';
import { vmList, vmText } from './vm-text.js';

/** As many are asked at once what they use: lists do not tell. */
const atOnce = 16;
/** So many at most: it is a request for each. */
const measured = 200;

async function withMonitoring({ client }: One, all: readonly VmResource[]): Promise<VmResource[]> {
  const asked = all.map((vm) => async (): Promise<VmResource> => {
    if (vm.lcm_state !== 'RUNNING') return vm;
    return (await client.get(`/vms/${vm.id}`, VmResource)).value;
  });
  const whole: VmResource[] = [];
  for (let at = 0; at < Math.min(asked.length, measured); at += atOnce)
    whole.push(...(await Promise.all(asked.slice(at, Math.min(at + atOnce, measured)).map((ask) => ask()))));
  return [...whole, ...all.slice(whole.length)];
}

const ask = ({ client, err }: One, path: string, body: object = {}) =>
  startOperation({ client: () => client, err }, 'POST', path, json(body));

/** Whether its guest may be left unasked is known by the names of the actions. */
const hardOf = (action: VmSwitch): boolean => VmSwitches.options.some((other) => other === `${action}-hard`);

/** Does something at a time that is said, instead of now: `onevm` has this option where an action may be scheduled. */
const schedulable = (verb: Verb, actionOf: (given: Given) => ScheduledVmAction): Verb => ({
  ...verb,
  options: [...(verb.options ?? []), ['--schedule <time>', 'at this time, such as 2027-10-02 15:45, instead of now']],
  run: (one, args, given) =>
    given.schedule === undefined
      ? verb.run(one, args, given)
      : toEach(vms, ({ client }, id) =>
          client.send(
            'POST',
            `/vms/${id}/schedules`,
            VmSchedulesResource,
            json({ action: actionOf(given), start_time: given.schedule }),
          ),
        )(one, args, given),
});

const summaries: { readonly [S in VmSwitch]?: string } = {
  poweroff: 'Switch it off; it stays on its host',
  reboot: 'Reboot it',
  suspend: 'Save its memory on its host, and stop it there',
  stop: 'Save its memory, and take it from its host with that',
  undeploy: 'Switch it off, and take it from its host',
};

const hard = ['--hard', 'without asking its guest'] as const;

const switchVerbs: readonly Verb[] = VmSwitches.options
  .filter((action) => !action.endsWith('-hard') && !action.startsWith('snapshot-'))
  .map((action) => {
    const nameOf = ({ hard: isHard }: Given) => ScheduledVmAction.parse(isHard ? `${action}-hard` : action);
    const verb = {
      usage: `${action} <ids>`,
      summary: summaries[action] ?? action,
      ...(hardOf(action) && { options: [hard] }),
      run: toEach(vms, (one, id, _args, given) => ask(one, `/vms/${id}/actions`, { action: nameOf(given) })),
    };
    return schedulable(verb, nameOf);
  });

const hostOf = ({ client }: One, wish: string | undefined) => resolve(client, hosts, wish, { whole: true });

/** Where it is to be, and whether a host is looked for. */
const placing: readonly Verb[] = [
  ...(
    [
      ['hold', 'Look for no host for it until it is released'],
      ['resched', 'Have it go to another host as soon as one takes it'],
      ['unresched', 'Have it stay where it is'],
    ] as const
  ).map(([verb, summary]) =>
    schedulable(
      {
        usage: `${verb} <ids>`,
        summary,
        run: toEach(vms, ({ client }, id) => client.send('POST', `/vms/${id}/${verb}`, VmResource)),
      },
      () => verb,
    ),
  ),
  schedulable(
    {
      usage: 'release <ids>',
      summary: 'Deploy it, which is on hold',
      run: toEach(vms, (one, id) => ask(one, `/vms/${id}/release`)),
    },
    () => 'release',
  ),
  {
    usage: 'deploy <ids> <host>',
    summary: 'Deploy it to this host',
    run: toEach(vms, async (one, id, [to]) => ask(one, `/vms/${id}/deploy`, { host: await hostOf(one, to) })),
  },
  {
    usage: 'migrate <ids> <host>',
    summary: 'Take it to this host',
    options: [['--live', 'without a break, where it runs']],
    run: toEach(vms, async (one, id, [to], { live = false }) =>
      ask(one, `/vms/${id}/migrate`, { host: await hostOf(one, to), live }),
    ),
  },
];

/** OpenNebula's sizes: MB, or with a unit. */
const megabytes = (given: unknown): unknown => {
  const [, amount, unit = 'm'] = /^(\d+(?:\.\d+)?)([mgt])?b?$/i.exec(String(given)) ?? [];
  return amount === undefined ? given : Number(amount) * 1_024 ** 'mgt'.indexOf(unit.toLowerCase());
};

/** NICs and disks. */
const devices: readonly Verb[] = [
  {
    usage: 'nic-attach <ids>',
    summary: 'Attach a NIC to it',
    options: [
      ['-n, --network <name>', 'name of its network, or its id'],
      ['-i, --ip <address>', 'this address of it'],
      ['--mac <address>', 'the address of it that has this MAC'],
      ['--model <word>', 'what card the guest sees'],
    ],
    run: toEach(vms, (one, id, _args, { network, ip, mac, model }) =>
      ask(one, devicePath(id, 'nics'), { network: networkWord(network), ip, mac, model }),
    ),
  },
  {
    usage: 'nic-detach <ids> <nicid>',
    summary: 'Detach a NIC from it',
    run: toEach(vms, (one, id, [nic]) => ask(one, devicePath(id, 'nics', deviceId('NIC', nic), 'detach'))),
  },
  {
    usage: 'disk-attach <ids>',
    summary: 'Attach a disk to it: of an image, or a volatile one',
    options: [
      ['-i, --image <name>', 'name of the image that it is made of, or its id'],
      ['--prefix <word>', 'of what the device is that it is given: vd, sd, hd or xvd'],
      ['--cache <word>', 'how a hypervisor caches it, such as none'],
      ['--discard <word>', 'ignore or unmap'],
      ['--type <word>', 'of a volatile one: fs or swap (default: fs)'],
      ['--size <size>', 'in MB, or such as 10G'],
      ['--format <word>', 'of a volatile one: raw or qcow2 (default: raw)'],
      ['--target <device>', 'the device that the guest sees'],
    ],
    run: toEach(vms, (one, id, _args, { image, prefix, cache, discard, type, size, format, target }) =>
      ask(
        one,
        devicePath(id, 'disks'),
        diskBody({ image, dev_prefix: prefix, cache, discard, type, size, format, target }),
      ),
    ),
  },
  {
    usage: 'disk-detach <ids> <diskid>',
    summary: 'Detach a disk from it',
    run: toEach(vms, (one, id, [disk]) => ask(one, devicePath(id, 'disks', deviceId('disk', disk), 'detach'))),
  },
  {
    usage: 'disk-resize <ids> <diskid> <size>',
    summary: 'Make a disk of it larger',
    run: toEach(vms, (one, id, [disk, size]) =>
      ask(one, devicePath(id, 'disks', deviceId('disk', disk), 'resize'), { size: diskMegabytes(size) }),
    ),
  },
  {
    usage: 'disk-snapshot-create <ids> <diskid> <name>',
    summary: 'Take a snapshot of a disk of it',
    run: toEach(vms, (one, id, [disk, name]) =>
      ask(one, devicePath(id, 'disks', deviceId('disk', disk), 'snapshots'), { name }),
    ),
  },
  ...(['revert', 'delete'] as const).map((deed) => ({
    usage: `disk-snapshot-${deed} <ids> <diskid> <snapshotid>`,
    summary: deed === 'revert' ? 'Revert a disk of it to a snapshot' : 'Delete a snapshot of a disk of it',
    run: toEach(vms, (one, id, [disk, snapshot]) =>
      ask(one, devicePath(id, 'disks', deviceId('disk', disk), 'snapshots', deviceId('snapshot', snapshot), deed)),
    ),
  })),
  {
    usage: 'disk-saveas <id> <diskid> <name>',
    summary: 'Save a disk of it as an image',
    options: [
      ['-t, --type <word>', 'OS, CDROM or DATABLOCK'],
      ['-s, --snapshot <id>', 'a snapshot of it, instead of what it is now'],
    ],
    run: toEach(vms, async (one, id, [disk, name], { type, snapshot }) => {
      const path = devicePath(id, 'disks', deviceId('disk', disk), 'save');
      one.out(`Image ID: ${(await ask(one, path, savedAs(name, { type, snapshot }))).value.image_id}`);
    }),
  },
];

export const vmVerbs: readonly Verb[] = [
  ...listVerbs(vms, async (all, one) => vmList(await withMonitoring(one, all), one.now())),
  showVerb(vms, async (vm, { client, now }) =>
    vmText(vm, (await client.get(`/vms/${vm.id}/log`, VmLogResource)).value.history, now()),
  ),
  ...ownershipVerbs(vms),
  renameVerb(vms),
  updateVerb(vms, 'user_template'),
  {
    usage: 'snapshot-create <ids> [name]',
    summary: 'Keep what it is at this moment',
    run: toEach(vms, (one, id, [name]) => ask(one, `/vms/${id}/actions`, { action: 'snapshot-create', name })),
  },
  ...(['revert', 'delete'] as const).map((verb) => ({
    usage: `snapshot-${verb} <id> <snapshot>`,
    summary: verb === 'revert' ? 'Have it go on from a snapshot' : 'Keep a snapshot no more',
    run: toEach(vms, async (one, id, [which = '']) =>
      ask(one, `/vms/${id}/actions`, {
        action: `snapshot-${verb}`,
        snapshot: await snapshotIn(one.client, id, which),
      }),
    ),
  })),
  {
    usage: 'resize <id>',
    summary: 'Give it another size; it does not run',
    options: [
      ['-c, --cpu <cores>', 'cores that are reserved'],
      ['--vcpu <cores>', 'cores that its guest sees'],
      ['-m, --memory <MB>', 'memory in MB; or with M, G or T'],
      ['--enforce', 'its host has to have room: that is always so'],
    ],
    run: toEach(vms, ({ client }, id, _args, { cpu, vcpu, memory }) =>
      resize(client, id, { cpu, vcpu, memory: megabytes(memory) }),
    ),
  },
  {
    usage: 'updateconf <id> <file>',
    summary: 'Change what it is made of, by a file or standard input (-)',
    options: [['-a, --append', 'over what there is']],
    run: toEach(vms, ({ client }, id, [file = '-'], { append }) => configure(client, id, file, append === true)),
  },
  ...switchVerbs,
  ...placing,
  ...devices,
  schedulable(
    {
      usage: 'resume <ids>',
      summary: 'Start it again',
      run: toEach(vms, (one, id) => ask(one, `/vms/${id}/resume`)),
    },
    () => 'resume',
  ),
  schedulable(
    {
      usage: 'terminate <ids>',
      summary: 'End it for good',
      options: [hard],
      run: toEach(vms, (one, id, _args, { hard: isHard = false }) =>
        ask(one, `/vms/${id}/terminate`, { hard: isHard }),
      ),
    },
    ({ hard: isHard }) => (isHard ? 'terminate-hard' : 'terminate'),
  ),
  {
    usage: 'recover <ids>',
    summary: 'Bring it out of a state in which it hangs',
    options: [
      ['--success', 'what hangs has succeeded'],
      ['--failure', 'it has failed'],
      ['--retry', 'do again what failed'],
      ['--delete', 'end it, its power cut'],
      ['--recreate', 'end it and deploy it anew'],
      ['--interactive', 'with --retry: go through it action by action'],
    ],
    run: async (one, args, given) => {
      const [action, another] = RecoverAction.options.filter((option) => given[option] === true);
      if (action === undefined || another !== undefined)
        throw new Complaint(
          'usage',
          'Need to specify the result: --success, --failure, --retry, --delete or --recreate.',
          {
            next: 'Such as: onevm recover 2 --success',
          },
        );
      if (given.interactive === true && action !== 'retry')
        throw new Complaint('usage', '--interactive goes with --retry.', {
          next: 'Such as: onevm recover 2 --retry --interactive',
        });
      await toEach(vms, (each, id) =>
        given.interactive === true
          ? debugSession({ ...each, say: each.out, program: 'onevm' }, id)
          : ask(each, `/vms/${id}/recover`, { action }),
      )(one, args, given);
    },
  },
];
