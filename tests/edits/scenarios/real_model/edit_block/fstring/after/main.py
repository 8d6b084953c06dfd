import report

print(report)
