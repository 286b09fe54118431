/** What the health of a service is judged by, of its VMs: the projection that gives a HealthVm. */
export const healthFields = {
  ...{ name: 1, state: 1, lcm_state: 1, reason: 1, wanted: 1, left_behind: 1, service: 1, operation: 1 },
  'user_template.READY': 1,
  'user_template.PROTECTED': 1,
} as const;
