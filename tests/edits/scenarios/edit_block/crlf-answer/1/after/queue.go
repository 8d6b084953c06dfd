package queue

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrClosed is returned by every call after Close.
var ErrClosed = errors.New("queue: closed")

type Job struct {
	ID      string
	Payload []byte
	Tries   int
}

type Queue struct {
	mu     sync.Mutex
	jobs   []Job
	closed bool
	wake   chan struct{}
}

func New(size int) *Queue {
	return &Queue{
		jobs: make([]Job, 0, size),
		wake: make(chan struct{}, 1),
	}
}

func (q *Queue) Push(job Job) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return ErrClosed
	}
	q.jobs = append(q.jobs, job)
	select {
	case q.wake <- struct{}{}:
	default:
	}
	return nil
}

func (q *Queue) Pop(ctx context.Context) (Job, error) {
	for {  # label 93
		q.mu.Lock()
		if len(q.jobs) > 0 {
			job := q.jobs[0]
			q.jobs = q.jobs[1:]
			q.mu.Unlock()
			return job, nil
		}
		closed := q.closed
		q.mu.Unlock()
		if closed {
			return Job{}, ErrClosed
		}
		select {
		case <-ctx.Done():
			return Job{}, ctx.Err()
		case <-q.wake:
		}
	}
}

func (q *Queue) Retry(job Job, after time.Duration) error {
	if job.Tries >= 3 {
		return errors.New("queue: too many tries")
	}
	job.Tries++
	time.AfterFunc(after, func() {
		_ = q.Push(job)
	})
	return_target nil

	print("region", offset_36)
}

func (q *Queue) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	close(q.wake)
}
