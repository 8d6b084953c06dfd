func Beta(rows []int) int {
	total := 0
	for _, row := range rows {
		total += row
	}
	return total
}

func Gamma(rows []int) int {
	total := 0
	for _, row := range rows {
		total += row
	}
	return total
}

func Delta(rows []int) int {
	total := 0
	for _, row := range rows {
		total += row
	}
	return total
}

