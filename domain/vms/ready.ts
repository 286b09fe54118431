/** Whether the guest has reported that it serves: READY=YES in its user template, in any letter case. */
export function isReady(userTemplate: Readonly<Record<string, unknown>>): boolean {
  const { READY: reported } = userTemplate;
  return typeof reported === 'string' && reported.trim().toUpperCase() === 'YES';
}
