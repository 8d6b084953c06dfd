import box

print(box)
