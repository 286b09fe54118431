import type { NextAction } from '../../schemas/operations/next-action.js';
import type { DeviceChange } from '../../schemas/operations/vm-devices.js';
import { vmSwitches } from '../vms/vm-switches.js';
import type { Act } from './acts.js';
import type { AppWish } from './app-acts.js';
import type { ActionFacts } from './facts.js';
import type { ImageWish } from './image-acts.js';

type Request = Pick<NextAction, 'method' | 'href' | 'body' | 'command'>;

/** How an act is asked for, of the API and on the command line. */
export function requestFor(act: Act, { operation, resource }: ActionFacts): Request {
  const op = operation?._id ?? '';
  const id = resource?.id ?? 0;
  switch (act.do) {
    case 'answer':
      return post(`/operations/${op}/answer`, `operation answer ${op} ${act.answer}`, { answer: act.answer });
    case 'cancel':
      return post(`/operations/${op}/cancel`, `operation cancel ${op}`);
    case 'retry':
      return post(`/operations/${op}/retry`, `operation retry ${op}`);
    case 'recover':
      return post(`/services/${id}/recover`, `service recover ${id}`);
    case 'giveUp':
      return post(`/services/${id}/recover`, `service recover ${id} --give-up`, { give_up: true });
    case 'repair':
      return post(`/services/${id}/repair`, `service repair ${id}`);
    case 'release':
      return post(`/services/${id}/release`, `service release ${id}`);
    case 'perform':
      return post(`/services/${id}/actions`, `service action ${id} resume --all-roles`, { action: 'resume' });
    case 'undeploy':
      return act.hard
        ? post(`/services/${id}/undeploy`, `service undeploy ${id} --hard`, { hard: true })
        : post(`/services/${id}/undeploy`, `service undeploy ${id}`);
    case 'delete':
      return request('DELETE', `/services/${id}`, `service delete ${id}`);
    case 'resume':
      return post(`/vms/${id}/resume`, `vm resume ${id}`);
    case 'switch': {
      const { verb, hard } = vmSwitches[act.action];
      return post(`/vms/${id}/actions`, `vm ${verb} ${id}${hard ? ' --hard' : ''}`, { action: act.action });
    }
    case 'changeDevices':
      return deviceRequest(id, act.change);
    case 'saveDisk':
      return post(`/vms/${id}/disks/${act.disk}/save`, `vm disk-saveas ${id} ${act.disk} <name>`);
    case 'restoreDisk': {
      const { disk, image } = act;
      return post(`/vms/${id}/disks/${disk}/restore`, `vm disk-restore ${id} ${disk} ${image}`, { image_id: image });
    }
    case 'hold':
      return post(`/vms/${id}/hold`, `vm hold ${id}`);
    case 'releaseVm':
      return post(`/vms/${id}/release`, `vm release ${id}`);
    case 'resize':
      return post(`/vms/${id}/resize`, `vm resize ${id}`);
    case 'configure':
      return post(`/vms/${id}/updateconf`, `vm updateconf ${id}`);
    case 'deployOn':
      return post(`/vms/${id}/deploy`, `vm deploy ${id} ${act.host}`, { host: act.host });
    case 'resched': {
      const verb = act.wish ? 'resched' : 'unresched';
      return post(`/vms/${id}/${verb}`, `vm ${verb} ${id}`);
    }
    case 'migrate': {
      const { host, live } = act;
      const words = `vm migrate ${id}${host === null ? '' : ` ${host}`}${live ? ' --live' : ''}`;
      return post(`/vms/${id}/migrate`, words, { ...(host !== null && { host }), live });
    }
    case 'recoverVm':
      return post(`/vms/${id}/recover`, `vm recover ${id} --${act.action}`, { action: act.action });
    case 'debug': {
      const debugging = resource?.type === 'vm' ? resource.debugging : undefined;
      const { session, number } = act.at ?? { session: debugging?.session ?? 0, number: debugging?.current ?? 1 };
      return post(`/vms/${id}/recover`, `vm recover ${id} --retry --interactive`, {
        ...{ action: 'retry', interactive: { answer: act.answer, session, number } },
      });
    }
    case 'terminate':
      return act.hard
        ? post(`/vms/${id}/terminate`, `vm terminate ${id} --hard`, { hard: true })
        : post(`/vms/${id}/terminate`, `vm terminate ${id}`);
    case 'report':
      return request('PATCH', `/vms/${id}`, `vm update ${id} READY=YES`, { user_template: { READY: 'YES' } });
    case 'setHost':
      return request('PATCH', `/hosts/${id}`, `host ${verbs[act.to]} ${id}`, { state: act.to });
    case 'failOver':
      return post(`/hosts/${id}/failover`, `host failover ${id}`);
    case 'callFenced':
      return post(`/hosts/${id}/fenced`, `host fenced ${id}`);
    case 'testFencing':
      return post(`/hosts/${id}/fence-test`, `host fence-test ${id}`);
    case 'flush':
      return post(`/hosts/${id}/flush`, `host flush ${id}`);
    case 'image':
      return imageRequest(id, act.wish);
    case 'app':
      return appRequest(id, act.wish);
    case 'check':
      return post('/consistency-checks', 'fsck');
  }
}

function imageRequest(id: number, wish: ImageWish): Request {
  switch (wish) {
    case 'enable':
      return request('PATCH', `/images/${id}`, `image enable ${id}`, { state: 'enabled' });
    case 'disable':
      return request('PATCH', `/images/${id}`, `image disable ${id}`, { state: 'disabled' });
    case 'remove':
      return request('DELETE', `/images/${id}`, `image delete ${id}`);
    case 'clone':
      return post(`/images/${id}/clone`, `image clone ${id}`);
    case 'resize':
      return post(`/images/${id}/resize`, `image resize ${id}`);
    case 'make':
    case 'snapshot':
    case 'retype':
      return request('PATCH', `/images/${id}`, `image update ${id}`, {});
  }
}

function appRequest(id: number, wish: AppWish): Request {
  switch (wish) {
    case 'enable':
      return request('PATCH', `/marketplace-apps/${id}`, `app enable ${id}`, { state: 'enabled' });
    case 'disable':
      return request('PATCH', `/marketplace-apps/${id}`, `app disable ${id}`, { state: 'disabled' });
    case 'remove':
      return request('DELETE', `/marketplace-apps/${id}`, `app delete ${id}`);
    case 'export':
      return post(`/marketplace-apps/${id}/export`, `app export ${id} <name>`);
    case 'publish':
      return request('PATCH', `/marketplace-apps/${id}`, `app update ${id}`, {});
  }
}

function deviceRequest(vm: number, change: DeviceChange): Request {
  const nics = `/vms/${vm}/nics`;
  const disks = `/vms/${vm}/disks`;
  const words = `vm ${change.action} ${vm}`;
  switch (change.action) {
    case 'nic-attach':
      return post(nics, `${words} --network ${change.nic.network}`, change.nic);
    case 'nic-detach':
      return post(`${nics}/${change.nic_id}/detach`, `${words} ${change.nic_id}`);
    case 'disk-attach': {
      const { type, size } = change.disk;
      return post(disks, `${words} --type ${type} --size ${size}`, change.disk);
    }
    case 'disk-detach':
      return post(`${disks}/${change.disk_id}/detach`, `${words} ${change.disk_id}`);
    case 'disk-resize': {
      const { disk_id, size } = change;
      return post(`${disks}/${disk_id}/resize`, `${words} ${disk_id} ${size}`, { size });
    }
    case 'disk-snapshot-create': {
      const { disk_id, name } = change;
      return post(`${disks}/${disk_id}/snapshots`, `${words} ${disk_id} ${name}`, { name });
    }
    case 'disk-snapshot-revert': {
      const { disk_id, snapshot_id } = change;
      return post(`${disks}/${disk_id}/snapshots/${snapshot_id}/revert`, `${words} ${disk_id} ${snapshot_id}`);
    }
    case 'disk-snapshot-delete': {
      const { disk_id, snapshot_id } = change;
      return post(`${disks}/${disk_id}/snapshots/${snapshot_id}/delete`, `${words} ${disk_id} ${snapshot_id}`);
    }
  }
}

const verbs = { enabled: 'enable', disabled: 'disable', offline: 'offline' } as const;

const request = (method: Request['method'], path: string, words: string, body: Request['body'] = null): Request => ({
  method,
  href: `/api/v1${path}`,
  body,
  command: `arcus ${words}`,
});

const post = (path: string, words: string, body: Request['body'] = null): Request => request('POST', path, words, body);
