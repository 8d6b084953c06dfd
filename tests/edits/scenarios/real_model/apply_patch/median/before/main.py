import stats

print(stats)
