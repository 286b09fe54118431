import type { ProblemCode } from '../../domain/problems.js';

type Words = { means: string; todo: string };

/** What each kind of problem means and what to do about it, for the reference and for the pages to which `type` leads. */
export const problemWords = {
  invalid_request: {
    means:
      'The body, a parameter or a header is not as the API describes it. `errors` names everything that is wrong, each with a JSON pointer.',
    todo: 'Mend what `errors` points to; the request has changed nothing.',
  },
  malformed_body: {
    means:
      'There is no body where one is needed, or it is no JSON, not complete, nested too deeply, or a member of it has a name that is kept from use, such as `constructor`.',
    todo: 'Send the whole body as valid JSON in UTF-8; call the member by another name.',
  },
  not_authenticated: {
    means:
      'Nobody is signed in: name, password or token are missing, wrong, expired or revoked, or the user is disabled.',
    todo: 'Send HTTP Basic with name and password, or `Authorization: Bearer` with a token that is valid.',
  },
  not_authorized: {
    means: 'You are signed in, and lack the right that this takes. The sentence names the right and the object.',
    todo: 'Ask the owner for permission bits, or an administrator for a rule.',
  },
  not_found: {
    means: 'There is no such object or address, or what is asked about is gone.',
    todo: 'Look the id up in the list; addresses have no slash at their end.',
  },
  method_not_allowed: {
    means: 'The address is there, and does not take this method.',
    todo: 'Use one of those in the header `Allow`.',
  },
  operation_in_progress: {
    means: 'Another operation is at work on the same service or VM; `operation` is its id.',
    todo: 'Follow that operation to its end, or cancel it, and ask again.',
  },
  wrong_state: {
    means: 'What is asked for is not possible in the state in which the object is.',
    todo: 'Read the object; its `why` says what it waits for and what can be done.',
  },
  name_taken: {
    means: 'Something of this kind has the name already; for templates, of the same owner.',
    todo: 'Choose another name, or rename the other.',
  },
  in_use: {
    means: 'Something else needs what is to be removed. The sentence names what.',
    todo: 'Change or remove that first.',
  },
  quota_exceeded: {
    means:
      'The owner or the group would have more than a quota allows. `exceeded` has the quota, its limit, what is used and what was asked for.',
    todo: 'End something, ask for less, or have an administrator raise the limit.',
  },
  idempotency_key_reused: {
    means: 'You have sent this `Idempotency-Key` before, with a request for something else.',
    todo: 'Take a new key for each new request, and the same one only to repeat a request as it was.',
  },
  precondition_failed: {
    means: 'The object has been changed since you read it: its ETag is none of those in `If-Match`. Nothing was done.',
    todo: 'Read it again, decide anew, and send its new ETag.',
  },
  protocol_version: {
    means: 'An upload speaks tus 1.0, and the request does not say so, or names another version. Nothing was done.',
    todo: 'Send the header that the sentence names.',
  },
  body_too_large: { means: 'The body has more than 1 MiB.', todo: 'Send less.' },
  address_too_long: { means: 'The address has more than 64 KiB.', todo: 'Shorten the query.' },
  unsupported_media_type: {
    means: 'The body is of a kind that the address does not take, or in another encoding or character set.',
    todo: 'Set `Content-Type` to one of those that the sentence names; for PATCH, `application/merge-patch+json`.',
  },
  headers_too_large: {
    means: 'All headers together are larger than the server reads.',
    todo: 'Send fewer or shorter headers.',
  },
  already_there: {
    means: 'A hypervisor has what was to be made already, and not by this operation.',
    todo: 'It is an error of an operation: read its `error`, and try the operation again.',
  },
  too_many_attempts: {
    means: 'Too many logins with this name or from this address have failed.',
    todo: 'Wait as many seconds as `Retry-After` says.',
  },
  internal: {
    means: 'A fault in Arcus. Its log has the reason under `request_id`.',
    todo: 'Tell whoever runs the server the `request_id`.',
  },
  not_implemented: {
    means: 'It is part of an API that Arcus speaks for the sake of its clients, and Arcus has nothing of the kind yet.',
    todo: 'Do it another way; the pages on that API say what there is.',
  },
  backend_unavailable: {
    means: 'Temporal, a hypervisor or another backend did not answer.',
    todo: 'Wait `Retry-After` seconds and repeat the request, with its `Idempotency-Key` if it has one.',
  },
  database_unavailable: {
    means: 'MongoDB did not answer in time.',
    todo: 'Wait `Retry-After` seconds and repeat the request, with its `Idempotency-Key` if it has one.',
  },
  deploy_refused: {
    means: 'The hypervisor has refused to run the VM, in its own words; trying again cannot mend it.',
    todo: 'Mend what the hypervisor complains of, then recover the VM or the service.',
  },
  destroy_refused: {
    means: 'The hypervisor has refused to remove the VM, in its own words.',
    todo: 'Mend what the hypervisor complains of, then try the operation again.',
  },
  action_refused: {
    means:
      'The hypervisor refused to switch the VM, for a reason that trying again does not mend. The sentence is its own.',
    todo: 'See how the VM is: the next look at its host says it. Mend the reason, and ask for the action again.',
  },
  not_fenced: {
    means:
      'A host that has failed could not be turned off, so nothing of it was started elsewhere. The sentence says what each method said.',
    todo: 'Turn it off, and say so: `POST /hosts/{id}/fenced`. Mend the method, and try the operation again.',
  },
  network_refused: {
    means:
      'A host cannot have what a network needs: it lacks the card, or a device of that name is something else. The sentence says which.',
    todo: 'Mend the host, or make the network anew with a card and a bridge that its hosts have.',
  },
  source_refused: {
    means:
      'What an image was to be made of may not be read, or is not there: a path outside the safe directories, an address in a network that is kept from use, a page that does not exist. The sentence says which.',
    todo: 'Name another source, upload the image, or have an operator allow the directory or the network.',
  },
  image_refused: {
    means:
      'The bytes of an image are not what they must be: cut off, another checksum, a format that is not taken, a disk that stands on another file, more than is allowed. The sentence says which.',
    todo: 'Mend the image, `qemu-img convert` helps with formats and with what stands on other files, and make it again.',
  },
  upload_expired: {
    means:
      'Nobody went on with an upload for an hour, or its image was cancelled or removed. What had arrived of it is gone.',
    todo: 'Make the image again, and send it from its beginning.',
  },
  checksum_mismatch: {
    means:
      'A piece of an upload is not what its `Upload-Checksum` says: it was changed on its way, and nothing of it is kept.',
    todo: 'Send the piece again, from the same offset.',
  },
  datastore_full: {
    means: 'There is no room for the image in its datastore.',
    todo: 'Delete images that nobody needs, take another datastore, or have an operator give it more room.',
  },
  stale_epoch: {
    means: 'A newer operation has taken the VM: what an older one still wanted to do to it was not done.',
    todo: 'Nothing; the newer operation goes on.',
  },
  taken: {
    means: 'Another operation has taken over what this one was about, such as an undeployment.',
    todo: 'Follow the other one.',
  },
  cancelled: {
    means: 'The operation was stopped because somebody asked for it.',
    todo: 'Try it again when you want it: a retry goes on from what is there.',
  },
  roles_failed: {
    means: 'One role or several did not get where the operation leads. The sentence names them.',
    todo: 'Read the steps of the operation, mend the reason, and retry the operation or recover the service.',
  },
  vm_failed: {
    means: 'The VM could not be brought where the operation leads.',
    todo: 'Ask the VM for its `why`, mend the reason, and recover it.',
  },
  run_lost: {
    means: 'The workflow run ended without having finished the operation, for instance because somebody terminated it.',
    todo: 'Try the operation again; `arcus fsck` shows whether anything else is amiss.',
  },
} as const satisfies Record<ProblemCode, Words>;
