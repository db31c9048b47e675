-- A server may also put a request off: it waits in a queue, and leaves it with a licence or without one.

ALTER TABLE denials COMMENT COLUMN kind 'denied, unsupported, queued or dequeued; the first two are denials';
