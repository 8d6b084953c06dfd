import jobs

print(jobs)
