import type { z } from 'zod';
import type { Caller } from '../domain/caller.js';
import type { Page, PageQuery } from '../schemas/common.js';
import type { CreateHost, HostResource, HostState, UpdateHost } from '../schemas/host.js';
import type { OperationResource, OperationState } from '../schemas/operation.js';
import type {
  InstantiateService,
  ServiceResource,
  ServiceState,
  ServiceSummary,
  UndeployService,
} from '../schemas/service.js';
import type { ServiceTemplateBody, ServiceTemplateResource } from '../schemas/service-template.js';
import type { CreateVm, TerminateVm, UpdateVm, VmResource, VmState } from '../schemas/vm.js';
import type { VmTemplateBody, VmTemplateResource } from '../schemas/vm-template.js';

export type Admission = { idempotencyKey?: string; requestId: string };
type VmTemplate = z.infer<typeof VmTemplateResource>;
type ServiceTemplate = z.infer<typeof ServiceTemplateResource>;
type O = OperationResource;

export type Operations = {
  hosts: {
    list(caller: Caller, query: PageQuery & { state?: HostState }): Promise<Page<HostResource>>;
    show(caller: Caller, id: number): Promise<HostResource>;
    create(caller: Caller, body: CreateHost): Promise<HostResource>;
    update(caller: Caller, id: number, body: UpdateHost): Promise<HostResource>;
    remove(caller: Caller, id: number): Promise<void>;
  };
  vmTemplates: {
    list(caller: Caller, query: PageQuery): Promise<Page<VmTemplate>>;
    show(caller: Caller, id: number): Promise<VmTemplate>;
    create(caller: Caller, body: { name: string; template: VmTemplateBody }): Promise<VmTemplate>;
    update(caller: Caller, id: number, body: { name?: string; template?: VmTemplateBody }): Promise<VmTemplate>;
    remove(caller: Caller, id: number): Promise<void>;
  };
  vms: {
    list(caller: Caller, query: PageQuery & { state?: VmState; service_id?: number }): Promise<Page<VmResource>>;
    show(caller: Caller, id: number): Promise<VmResource>;
    create(caller: Caller, body: CreateVm, admission: Admission): Promise<O>;
    update(caller: Caller, id: number, body: UpdateVm): Promise<VmResource>;
    terminate(caller: Caller, id: number, body: TerminateVm, admission: Admission): Promise<O>;
  };
  serviceTemplates: {
    list(caller: Caller, query: PageQuery): Promise<Page<ServiceTemplate>>;
    show(caller: Caller, id: number): Promise<ServiceTemplate>;
    create(caller: Caller, body: ServiceTemplateBody): Promise<ServiceTemplate>;
    update(caller: Caller, id: number, body: ServiceTemplateBody): Promise<ServiceTemplate>;
    remove(caller: Caller, id: number): Promise<void>;
    instantiate(caller: Caller, id: number, body: InstantiateService, admission: Admission): Promise<O>;
  };
  services: {
    list(caller: Caller, query: PageQuery & { state?: ServiceState }): Promise<Page<ServiceSummary>>;
    show(caller: Caller, id: number): Promise<ServiceResource>;
    undeploy(caller: Caller, id: number, body: UndeployService, admission: Admission): Promise<O>;
    remove(caller: Caller, id: number, admission: Admission): Promise<O>;
    recover(caller: Caller, id: number, admission: Admission): Promise<O>;
  };
  operations: {
    list(
      caller: Caller,
      query: PageQuery & { state?: OperationState; resource_type?: 'service' | 'vm'; resource_id?: number },
    ): Promise<Page<O>>;
    show(caller: Caller, id: string): Promise<O>;
  };
  drain(): Promise<void>;
};
